/// What the app does about a failure.
public enum Advice: String, Sendable {
    /// Nothing; the user knows, or nothing is lost.
    case dismiss
    /// Says that it did not work, and offers to sign in again.
    case signIn = "sign-in"
    /// Forgets the credential, says that the session has ended, and offers to sign in.
    case signedOut = "signed-out"
    /// Keeps the credential, and offers to try again.
    case later
    /// Shows the error id; the app or its configuration is at fault, and the user can do nothing about it.
    case report
}

/// Only `unauthenticated` ends a session: an outage must sign nobody out.
public func adviseOn(_ code: String) -> Advice {
    switch code {
    case "access_denied", "no_refresh_token":
        .dismiss
    case "login_required", "interaction_required", "consent_required", "account_selection_required",
        "sign_in_failed", "invalid_grant":
        .signIn
    case "unauthenticated":
        .signedOut
    case "network", "idp_unavailable", "rate_limited", "server_error", "store_unavailable", "upstream_timeout",
        "upstream_unavailable":
        .later
    default:
        .report
    }
}
