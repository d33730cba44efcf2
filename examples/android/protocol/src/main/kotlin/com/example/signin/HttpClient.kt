package com.example.signin

import java.io.IOException
import java.net.HttpURLConnection
import java.net.URL

private const val TIMEOUT_MS = 15_000

/**
 * Sends a request of the protocol; not on the main thread.
 *
 * @throws Failure `network` when there is no answer
 */
fun send(request: ServiceRequest): Answer =
    try {
        exchange(request)
    } catch (cause: IOException) {
        throw Failure("network", cause = cause)
    }

private fun exchange(request: ServiceRequest): Answer {
    val connection = URL(request.url).openConnection() as HttpURLConnection
    try {
        connection.requestMethod = request.method
        connection.connectTimeout = TIMEOUT_MS
        connection.readTimeout = TIMEOUT_MS
        connection.instanceFollowRedirects = false // Or the credential goes wherever an answer points to.
        request.headers.forEach(connection::setRequestProperty)
        request.body?.let { sendBody(connection, it.toByteArray()) }
        val status = connection.responseCode
        val stream = if (status < 400) connection.inputStream else connection.errorStream
        return Answer(
            status = status,
            body = stream?.use { it.readBytes().toString(Charsets.UTF_8) }.orEmpty(),
            retryAfter = connection.getHeaderField("Retry-After"),
            setCookies = connection.headerFields.filterKeys { "Set-Cookie".equals(it, ignoreCase = true) }.values.flatten(),
        )
    } finally {
        connection.disconnect()
    }
}

/** Of a known length: else the client may send a request again by itself, and a code is good for one use. */
private fun sendBody(connection: HttpURLConnection, octets: ByteArray) {
    connection.doOutput = true
    connection.setFixedLengthStreamingMode(octets.size)
    connection.outputStream.use { it.write(octets) }
}
