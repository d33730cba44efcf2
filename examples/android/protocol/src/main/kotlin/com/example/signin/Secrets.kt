package com.example.signin

import java.security.MessageDigest
import java.security.SecureRandom
import java.util.Base64

/** Base64url without padding (RFC 4648 §5). */
fun encodeBase64Url(octets: ByteArray): String = Base64.getUrlEncoder().withoutPadding().encodeToString(octets)

/** 256 random bits in 43 characters: good as a code verifier (RFC 7636 §4.1) and as a state. */
fun createSecret(random: SecureRandom = SecureRandom()): String =
    encodeBase64Url(ByteArray(32).also(random::nextBytes))

/** S256 of a verifier (RFC 7636 §4.2). */
fun buildChallenge(verifier: String): String =
    encodeBase64Url(MessageDigest.getInstance("SHA-256").digest(verifier.toByteArray(Charsets.US_ASCII)))
