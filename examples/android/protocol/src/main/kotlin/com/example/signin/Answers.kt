package com.example.signin

import org.json.JSONException
import org.json.JSONObject

/** An answer as the HTTP client got it. */
class Answer(
    val status: Int,
    val body: String,
    /** The header `Retry-After`, where there is one. */
    val retryAfter: String? = null,
    /** Each header `Set-Cookie`. */
    val setCookies: List<String> = emptyList(),
)

/** Claims that the service shows (`SESSION_CLAIMS`); `sub` is the one that never changes hands. */
data class User(val sub: String, val name: String?, val email: String?)

/** Who is signed in, and for how many seconds more. */
data class SessionView(val user: User, val expiresInS: Long)

class Handoff(val view: SessionView, val credential: Credential)

/**
 * Why there is no answer to go on with.
 *
 * @property code the service's, or one of ours: `network`, `unexpected`
 * @property errorId the number under which the service has it in its log; to be shown, so that a user can name it
 * @property retryAfterS whole seconds
 */
class Failure(
    val code: String,
    val errorId: String? = null,
    val retryAfterS: Int? = null,
    cause: Throwable? = null,
) : Exception(code, cause)

/** @throws Failure the service's, by its code; `unexpected` for an answer that is not the service's */
fun readBody(answer: Answer): JSONObject {
    val members = parseObject(answer.body)
    if (answer.status in 200..299 && members != null) return members
    val error = members?.text("error")
    val errorId = members?.text("error_id")
    // All three, or it is an API behind the service that speaks: its 401 does not end our session.
    if (error == null || errorId == null || answer.status < 400) throw Failure("unexpected")
    throw Failure(error, errorId, answer.retryAfter?.takeIf(Regex("[0-9]{1,5}")::matches)?.toInt())
}

/**
 * @return null when nobody is signed in
 * @throws Failure
 */
fun readView(answer: Answer): SessionView? {
    val members = readBody(answer)
    if (members.opt("authenticated") == false) return null
    val user = members.optJSONObject("user")
    val sub = user?.text("sub")
    val expiresInS = members.opt("expires_in") as? Number
    if (members.opt("authenticated") != true || sub == null || expiresInS == null) throw Failure("unexpected")
    return SessionView(User(sub, user.text("name"), user.text("email")), expiresInS.toLong())
}

/** @throws Failure also when the session did not come in the kind that was asked for */
fun readHandoff(answer: Answer, kind: SessionKind): Handoff {
    val view = readView(answer)
    val value = when (kind) {
        SessionKind.TOKEN -> readBody(answer).text("session_token")
        SessionKind.COOKIE -> answer.setCookies.map { it.substringBefore(';') }.find(SESSION_COOKIE::matches)
    }
    if (view == null || value == null) throw Failure("unexpected")
    return Handoff(view, Credential(kind, value))
}

/** `oten_session` is its name over plain http, as on a developer's machine. */
private val SESSION_COOKIE = Regex("(__Host-Http-)?oten_session=[^;\\s]+")

/**
 * @return where the system's browser ends the session with the IdP too, good for a minute; null when it cannot
 * @throws Failure
 */
fun readSignOut(service: Service, answer: Answer): String? =
    readBody(answer).text("logout_url")?.takeIf { it.startsWith("${service.url}/auth/logout/") }

private fun parseObject(text: String): JSONObject? =
    try {
        JSONObject(text)
    } catch (_: JSONException) {
        null
    }

/** `optString` would make text of numbers and of `null`. */
private fun JSONObject.text(name: String): String? = opt(name) as? String
