package com.example.signin

import java.io.File
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** The vectors that the examples of all three languages share: `test/app/vectors.json`. */
private val VECTORS = JSONObject(File(System.getProperty("vectors")).readText())

class VectorsTest {
    @Test
    fun `octets in base64url`() = each("base64url") {
        assertEquals(it.getString("text"), encodeBase64Url(readHex(it.getString("hex"))))
    }

    @Test
    fun `a challenge is the S256 of its verifier`() = each("challenges") {
        assertEquals(it.getString("challenge"), buildChallenge(it.getString("verifier")))
    }

    @Test
    fun `secrets have 43 characters and are never the same`() {
        val secrets = List(100) { createSecret() }
        assertTrue(secrets.all(Regex("[A-Za-z0-9_-]{43}")::matches))
        assertEquals(100, secrets.toSet().size)
        val signIn = createSignIn(SessionKind.TOKEN)
        assertNotEquals(signIn.verifier, signIn.state)
    }

    @Test
    fun `what the browser opens`() = each("starts") {
        val service = Service(it.getString("service"), it.getString("app"), "com.example.app:/signed-in")
        val signIn = SignIn(it.getString("verifier"), it.getString("state"), SessionKind.TOKEN)
        assertEquals(it.getString("url"), buildStartUrl(service, signIn))
    }

    @Test
    fun `which links are accepted, and which are dropped`() = each("links") {
        val service = Service("https://app.example.com", "android", it.getString("deepLink"))
        val signIn = if (it.isNull("state")) null else SignIn("v".repeat(43), it.getString("state"), SessionKind.TOKEN)
        val expected = it.getJSONObject("verdict")
        val verdict = judgeDeepLink(service, signIn, it.getString("link"))
        when (expected.getString("kind")) {
            "redeem" -> assertEquals(Verdict.Redeem(expected.getString("code")), verdict)
            "failed" -> assertEquals(Verdict.Failed(expected.getString("error")), verdict)
            else -> assertEquals(Verdict.Foreign, verdict)
        }
    }

    @Test
    fun `how a code is redeemed`() = each("handoffs") {
        val service = Service(it.getString("service"), "android", "com.example.app:/signed-in")
        val signIn = SignIn(it.getString("verifier"), "state", kindOf(it.getString("session")))
        val request = buildHandoff(service, signIn, it.getString("code"))
        assertEquals("POST", request.method)
        assertEquals(it.getString("url"), request.url)
        assertEquals("application/json", request.headers["content-type"])
        assertTrue(it.getJSONObject("body").similar(JSONObject(request.body)))
    }

    @Test
    fun `a credential is sent to the service and nowhere else`() {
        val service = Service("https://app.example.com", "android", "com.example.app:/signed-in")
        val token = Credential(SessionKind.TOKEN, "t")
        val paths = VECTORS.getJSONObject("paths")
        for (path in paths.getJSONArray("good").texts()) {
            val request = buildCall(service, token, path)
            assertEquals(service.url + path, request.url)
            assertEquals("Bearer t", request.headers["authorization"])
        }
        for (path in paths.getJSONArray("bad").texts()) {
            assertThrows(path, IllegalArgumentException::class.java) { buildCall(service, token, path) }
        }
        val cookie = buildCall(service, Credential(SessionKind.COOKIE, "oten_session=c"), "/")
        assertEquals(mapOf("accept" to "application/json", "cookie" to "oten_session=c"), cookie.headers)
    }

    @Test
    fun `what an answer says that is a failure`() = each("failures") {
        val answer = Answer(it.getInt("status"), it.getString("body"), it.opt("retryAfter") as? String)
        val failure = assertThrows(Failure::class.java) { readBody(answer) }
        assertEquals(it.getString("code"), failure.code)
        assertEquals(it.opt("errorId") as? String, failure.errorId)
        assertEquals(it.opt("retryAfterS") as? Int, failure.retryAfterS)
    }

    @Test
    fun `who is signed in`() = each("views") {
        val answer = Answer(200, it.getString("body"))
        val view = it.optJSONObject("view")
        if (view != null) {
            val user = User(view.getString("sub"), view.opt("name") as? String, view.opt("email") as? String)
            assertEquals(SessionView(user, view.getLong("expiresInS")), readView(answer))
        } else if (it.getString("view") == "signed-out") {
            assertEquals(null, readView(answer))
        } else {
            assertEquals("unexpected", assertThrows(Failure::class.java) { readView(answer) }.code)
        }
    }

    @Test
    fun `a session that came in another kind than was asked for is none`() {
        val body = """{"authenticated":true,"user":{"sub":"u1"},"expires_in":1,"session_token":"t"}"""
        val line = "__Host-Http-oten_session=c; Path=/; HttpOnly; Secure"
        assertEquals("t", readHandoff(Answer(200, body), SessionKind.TOKEN).credential.value)
        val kept = readHandoff(Answer(200, body, null, listOf("x=1", line)), SessionKind.COOKIE).credential
        assertEquals("__Host-Http-oten_session=c", kept.value)
        assertThrows(Failure::class.java) { readHandoff(Answer(200, body), SessionKind.COOKIE) }
        assertThrows(Failure::class.java) {
            readHandoff(Answer(200, body.replace("session_token", "x"), null, listOf(line)), SessionKind.TOKEN)
        }
        assertThrows(Failure::class.java) { readHandoff(Answer(200, """{"authenticated":false}"""), SessionKind.TOKEN) }
    }

    @Test
    fun `where a sign-out leads on to`() = each("signOuts") {
        val service = Service("https://app.example.com", "android", "com.example.app:/signed-in")
        assertEquals(it.opt("url") as? String, readSignOut(service, Answer(200, it.getString("body"))))
    }

    @Test
    fun `what the app does about each failure`() {
        val advice = VECTORS.getJSONObject("advice")
        for (name in advice.keys()) {
            for (code in advice.getJSONArray(name).texts()) {
                assertEquals(code, name, adviseOn(code).name.lowercase().replace('_', '-'))
            }
        }
    }
}

private fun each(name: String, check: (JSONObject) -> Unit) {
    val vectors = VECTORS.getJSONArray(name)
    assertTrue(name, vectors.length() > 0)
    for (index in 0 until vectors.length()) {
        val vector = vectors.getJSONObject(index)
        try {
            check(vector)
        } catch (cause: AssertionError) {
            throw AssertionError("$name, ${vector.optString("what", "$index")}: ${cause.message}", cause)
        }
    }
}

private fun JSONArray.texts(): List<String> = List(length(), ::getString)

private fun kindOf(wire: String): SessionKind = SessionKind.entries.first { it.wire == wire }

private fun readHex(text: String): ByteArray = text.chunked(2) { it.toString().toInt(16).toByte() }.toByteArray()
