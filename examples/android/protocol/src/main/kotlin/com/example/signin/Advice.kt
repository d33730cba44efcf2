package com.example.signin

/** What the app does about a failure. */
enum class Advice {
    /** Nothing; the user knows, or nothing is lost. */
    DISMISS,

    /** Says that it did not work, and offers to sign in again. */
    SIGN_IN,

    /** Forgets the credential, says that the session has ended, and offers to sign in. */
    SIGNED_OUT,

    /** Keeps the credential, and offers to try again. */
    LATER,

    /** Shows the error id; the app or its configuration is at fault, and the user can do nothing about it. */
    REPORT,
}

/** Only `unauthenticated` ends a session: an outage must sign nobody out. */
fun adviseOn(code: String): Advice = when (code) {
    "access_denied", "no_refresh_token" -> Advice.DISMISS
    "login_required", "interaction_required", "consent_required", "account_selection_required" -> Advice.SIGN_IN
    "sign_in_failed", "invalid_grant" -> Advice.SIGN_IN
    "unauthenticated" -> Advice.SIGNED_OUT
    "network", "idp_unavailable", "rate_limited", "server_error" -> Advice.LATER
    "store_unavailable", "upstream_timeout", "upstream_unavailable" -> Advice.LATER
    else -> Advice.REPORT
}
