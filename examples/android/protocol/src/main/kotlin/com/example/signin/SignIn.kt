package com.example.signin

import java.net.URLEncoder

/** How the app keeps its session: a cookie, or a token. */
enum class SessionKind(val wire: String) {
    COOKIE("cookie"),
    TOKEN("token"),
}

/**
 * A sign-in in flight. Kept until its deep link comes, also when the system ends the process meanwhile; then removed.
 *
 * @property verifier never leaves the phone before the handoff (RFC 7636 §4.1)
 * @property state comes back in the deep link, and tells this sign-in from one that somebody else began
 */
class SignIn(val verifier: String, val state: String, val kind: SessionKind)

/** New secrets for each sign-in: an old verifier may be known, an old state may come back. */
fun createSignIn(kind: SessionKind): SignIn = SignIn(createSecret(), createSecret(), kind)

/** What the system's browser opens; never a WebView, in which the app could read the password (RFC 8252 §8.12). */
fun buildStartUrl(service: Service, signIn: SignIn): String {
    val query = listOf(
        "app" to service.app,
        "code_challenge" to buildChallenge(signIn.verifier),
        "code_challenge_method" to "S256",
        "state" to signIn.state,
    )
    return query.joinToString("&", prefix = "${service.url}/auth/start?") { (name, value) -> "$name=${encode(value)}" }
}

/** A space as `%20`: the encoder is made for forms, which write `+`. */
private fun encode(value: String): String = URLEncoder.encode(value, "UTF-8").replace("+", "%20")
