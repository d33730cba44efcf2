package com.example.signin

import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException

/** What a sign-in may end in instead of a session. */
private val ERRORS = setOf(
    "access_denied",
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
    "idp_unavailable",
    "sign_in_failed",
)

private val PLAIN = Regex("[!-~&&[^#]]*")
private val OCTET = Regex("%([0-9A-Fa-f]{2})")
private val CODE = Regex("[A-Za-z0-9_-]{1,512}")

sealed interface Verdict {
    /** To be dropped, and the sign-in in flight left as it was. With the others the sign-in is over: remove it. */
    data object Foreign : Verdict

    data class Failed(val error: String) : Verdict

    data class Redeem(val code: String) : Verdict
}

/**
 * Judges a link that opened the app. Any app and any page can open one, to sign this phone in as somebody it is not: only
 * the answer to the sign-in in flight counts (RFC 8252 §8.9).
 *
 * @param signIn the sign-in in flight; null when there is none
 */
fun judgeDeepLink(service: Service, signIn: SignIn?, link: String): Verdict {
    if (signIn == null) return Verdict.Foreign
    val parameters = readParameters(service.deepLink, link) ?: return Verdict.Foreign
    if (parameters["state"] != signIn.state) return Verdict.Foreign
    val code = parameters["code"]
    val error = parameters["error"]
    return when {
        code != null && error == null && CODE.matches(code) -> Verdict.Redeem(code)
        error == null || code != null -> Verdict.Foreign
        else -> Verdict.Failed(if (error in ERRORS) error else "sign_in_failed")
    }
}

/**
 * By the letter and not with a parser of URLs: those of phones differ, and none is needed for a link whose beginning is
 * known. The service writes it in plain ASCII, all else percent-encoded.
 *
 * @return null for another link, a parameter that is there twice, and what does not decode
 */
private fun readParameters(deepLink: String, link: String): Map<String, String>? {
    val start = deepLink + if ('?' in deepLink) '&' else '?'
    if (!link.startsWith(start) || !PLAIN.matches(link)) return null
    val parameters = mutableMapOf<String, String>()
    for (pair in link.removePrefix(start).split('&')) {
        val name = pair.substringBefore('=')
        val value = decode(pair.substringAfter('=', "")) ?: return null
        if (parameters.put(name, value) != null) return null
    }
    return parameters
}

/** Percent-encoded UTF-8 in ASCII, where `+` is a plus: `URLDecoder` is made for forms. */
private fun decode(text: String): String? {
    val octets = ByteBuffer.allocate(text.length)
    var at = 0
    while (at < text.length) {
        if (text[at] == '%') {
            val octet = OCTET.matchAt(text, at) ?: return null
            octets.put(octet.groupValues[1].toInt(16).toByte())
            at += octet.value.length
        } else {
            octets.put(text[at].code.toByte())
            at += 1
        }
    }
    octets.flip()
    return try {
        Charsets.UTF_8.newDecoder().decode(octets).toString()
    } catch (_: CharacterCodingException) {
        null
    }
}
