package com.example.signin

import java.io.File
import org.json.JSONObject

/** Keeps values in a file, so that they survive the end of this process as those of Keystore do. */
private class FileVault(private val file: File) : Vault {
    private val kept = if (file.exists()) JSONObject(file.readText()) else JSONObject()

    override fun read(name: String): String? = kept.opt(name) as? String

    override fun write(name: String, value: String) {
        file.writeText(kept.put(name, value).toString())
    }

    override fun remove(name: String) {
        kept.remove(name)
        file.writeText(kept.toString())
    }
}

private fun describe(view: SessionView?): JSONObject =
    JSONObject().put("sub", view?.user?.sub ?: JSONObject.NULL)

private fun obey(flow: Flow, command: String, argument: String): JSONObject = when (command) {
    "begin" -> JSONObject().put("url", flow.begin(SessionKind.valueOf(argument.uppercase())))
    "link" -> flow.acceptDeepLink(argument)?.let(::describe) ?: JSONObject().put("foreign", true)
    "view" -> describe(flow.loadView())
    "refresh" -> describe(flow.refresh())
    "api" -> JSONObject().put("answer", flow.callApi(argument))
    "sign-out" -> JSONObject().put("url", flow.signOut() ?: JSONObject.NULL)
    else -> error("no such command")
}

/** Plays an app without a device: takes one command a line, answers each with a line of JSON. */
fun main(arguments: Array<String>) {
    val (url, app, deepLink, vault) = arguments
    val flow = Flow(Service(url, app, deepLink), FileVault(File(vault)))
    for (line in generateSequence(::readLine)) {
        val answer = try {
            obey(flow, line.substringBefore(' '), line.substringAfter(' ', ""))
        } catch (failure: Failure) {
            JSONObject().put("failure", failure.code)
        }
        println(answer)
    }
}
