package com.example.signin

import org.json.JSONObject

/** A request as data: an HTTP client sends it, and must follow no redirect. */
class ServiceRequest(
    val method: String,
    val url: String,
    val headers: Map<String, String>,
    val body: String? = null,
)

/**
 * What shows who is signed in.
 *
 * @property value the token; of a cookie, its name and value as they are sent. Android's HTTP clients keep no cookie
 * through the end of the process, so the app does
 */
class Credential(val kind: SessionKind, val value: String)

private val PATH = Regex("""/(?![/\\])[!-\[\]-~]*""")

/**
 * Redeems the code. To be sent once: a code that comes a second time ends the session that it gave. So when the answer is
 * lost, the user signs in again.
 */
fun buildHandoff(service: Service, signIn: SignIn, code: String): ServiceRequest {
    val body = JSONObject()
        .put("code", code)
        .put("code_verifier", signIn.verifier)
        .put("session", signIn.kind.wire)
    val headers = mapOf("accept" to "application/json", "content-type" to "application/json")
    return ServiceRequest("POST", "${service.url}/auth/handoff", headers, body.toString())
}

/** Who is signed in. Does not count as use of the session. */
fun buildView(service: Service, credential: Credential): ServiceRequest =
    buildCall(service, credential, "/auth/session")

/** Renews the tokens, and with them what is known of the user. */
fun buildRefresh(service: Service, credential: Credential): ServiceRequest =
    buildCall(service, credential, "/auth/refresh", "POST")

/** Ends the session at the service. Whatever comes of it, the app forgets its credential. */
fun buildSignOut(service: Service, credential: Credential): ServiceRequest =
    buildCall(service, credential, "/auth/logout", "POST")

/**
 * A call of an API behind the service.
 *
 * @throws IllegalArgumentException for a path that could lead the credential to another host: `.example.org` behind the
 * origin, `//host`
 */
fun buildCall(service: Service, credential: Credential, path: String, method: String = "GET"): ServiceRequest {
    require(PATH.matches(path)) { "a path begins with one slash" }
    val shown = when (credential.kind) {
        SessionKind.TOKEN -> "authorization" to "Bearer ${credential.value}"
        SessionKind.COOKIE -> "cookie" to credential.value
    }
    return ServiceRequest(method, service.url + path, mapOf("accept" to "application/json", shown))
}
