package com.example.app

import android.app.Application
import com.example.signin.Flow
import com.example.signin.Service

/** Yours. The manifest has the same deep link. */
private val SERVICE = Service(
    url = "https://app.example.com",
    app = "android",
    deepLink = "https://app.example.com/signed-in",
)

/** A path of `API_ROUTES`. */
const val API_PATH = "/api/orders"

/** One flow for the process: an activity that is made anew, as when the screen turns, waits for what the last one began. */
class ExampleApp : Application() {
    val flow by lazy { Flow(SERVICE, KeystoreVault(this)) }
}
