package com.example.signin

import org.json.JSONObject

/** The key store of the system: what it keeps survives the end of the process, and no other app reads it. */
interface Vault {
    fun read(name: String): String?

    fun write(name: String, value: String)

    fun remove(name: String)
}

private const val SIGN_IN = "sign-in"
private const val CREDENTIAL = "credential"

/** The life of a session in the app, from the start of a sign-in to the sign-out. Not for the main thread. */
class Flow(
    private val service: Service,
    private val vault: Vault,
    private val send: (ServiceRequest) -> Answer = ::send,
) {
    /** @return what the system's browser is to open */
    fun begin(kind: SessionKind): String {
        val signIn = createSignIn(kind)
        val kept = JSONObject().put("verifier", signIn.verifier).put("state", signIn.state).put("kind", kind.name)
        vault.write(SIGN_IN, kept.toString()) // Before the browser opens: the system may then end the process.
        return buildStartUrl(service, signIn)
    }

    /**
     * One link after the other: a system may deliver one twice, and its code is good for one use.
     *
     * @return null for a link that is not the answer to a sign-in of this app
     * @throws Failure with what the sign-in ended in, such as `access_denied`
     */
    @Synchronized
    fun acceptDeepLink(link: String): SessionView? {
        val signIn = readSignIn() ?: return null
        val verdict = judgeDeepLink(service, signIn, link)
        if (verdict != Verdict.Foreign) vault.remove(SIGN_IN) // One answer for each sign-in, whatever it is.
        return when (verdict) {
            is Verdict.Foreign -> null
            is Verdict.Failed -> throw Failure(verdict.error)
            is Verdict.Redeem -> {
                val handoff = readHandoff(send(buildHandoff(service, signIn, verdict.code)), signIn.kind)
                keep(handoff.credential)
                handoff.view
            }
        }
    }

    /**
     * Who is signed in, by the credential that was kept.
     *
     * @throws Failure
     */
    fun loadView(): SessionView? = readCredential()?.let { readView(send(buildView(service, it))) }

    /** @throws Failure */
    fun refresh(): SessionView? = readView(send(buildRefresh(service, requireCredential())))

    /** @throws Failure */
    fun callApi(path: String): JSONObject = readBody(send(buildCall(service, requireCredential(), path)))

    /**
     * Signs out here first, whatever the service says.
     *
     * @return where the system's browser ends the session with the IdP too
     * @throws Failure
     */
    fun signOut(): String? {
        val credential = readCredential()
        forgetSession()
        return credential?.let { readSignOut(service, send(buildSignOut(service, it))) }
    }

    /** To be called when the service says that the session is over. */
    fun forgetSession() = vault.remove(CREDENTIAL)

    private fun requireCredential(): Credential = readCredential() ?: throw Failure("unauthenticated")

    private fun keep(credential: Credential) {
        val kept = JSONObject().put("kind", credential.kind.name).put("value", credential.value)
        vault.write(CREDENTIAL, kept.toString())
    }

    private fun readCredential(): Credential? = read(CREDENTIAL)?.let {
        Credential(SessionKind.valueOf(it.getString("kind")), it.getString("value"))
    }

    private fun readSignIn(): SignIn? = read(SIGN_IN)?.let {
        SignIn(it.getString("verifier"), it.getString("state"), SessionKind.valueOf(it.getString("kind")))
    }

    /** Nobody but this class writes to the vault. */
    private fun read(name: String): JSONObject? = vault.read(name)?.let(::JSONObject)
}
