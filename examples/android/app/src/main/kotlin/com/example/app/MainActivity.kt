package com.example.app

import android.net.Uri
import androidx.browser.customtabs.CustomTabsIntent

/** The activity of the manifest: with a Custom Tab, which has the cookies of the user's browser, and not the app's. */
class MainActivity : SessionActivity(openBrowser = { activity, url ->
    CustomTabsIntent.Builder().build().launchUrl(activity, Uri.parse(url))
})
