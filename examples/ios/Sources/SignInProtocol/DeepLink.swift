import Foundation

/// What a sign-in may end in instead of a session.
private let signInErrors: Set<String> = [
    "access_denied",
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
    "idp_unavailable",
    "sign_in_failed",
]

enum Verdict: Equatable {
    /// To be dropped: it is not the answer to this sign-in.
    case foreign
    case failed(error: String)
    case redeem(code: String)
}

/// Judges a link that came back. Any app and any page can open one, to sign this phone in as somebody it is not: only the
/// answer to the sign-in in flight counts (RFC 8252 §8.9).
///
/// - Parameter signIn: the sign-in in flight; nil when there is none
func judgeDeepLink(_ service: Service, _ signIn: SignInRequest?, _ link: String) -> Verdict {
    guard let signIn, let parameters = readParameters(service.deepLink, link) else { return .foreign }
    guard let state = parameters["state"], Data(state.utf8) == Data(signIn.state.utf8) else { return .foreign }
    switch (parameters["code"], parameters["error"]) {
    case (let code?, nil):
        return isCode(code) ? .redeem(code: code) : .foreign
    case (nil, let error?):
        return .failed(error: signInErrors.contains(error) ? error : "sign_in_failed")
    default:
        return .foreign
    }
}

private func isCode(_ text: String) -> Bool {
    text.range(of: "^[A-Za-z0-9_-]{1,512}\\z", options: .regularExpression) != nil
}

/// By the letter and not with a parser of URLs: those of phones differ, and none is needed for a link whose beginning is
/// known. The service writes it in plain ASCII, all else percent-encoded.
///
/// - Returns: nil for another link, a parameter that is there twice, and what does not decode
private func readParameters(_ deepLink: String, _ link: String) -> [String: String]? {
    let start = deepLink + (deepLink.contains("?") ? "&" : "?")
    let isPlain = link.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") }
    guard isPlain, link.hasPrefix(start) else { return nil }
    var parameters: [String: String] = [:]
    for pair in link.dropFirst(start.count).split(separator: "&", omittingEmptySubsequences: false) {
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let value = String(parts.count > 1 ? parts[1] : "").removingPercentEncoding else { return nil }
        guard parameters.updateValue(value, forKey: String(parts[0])) == nil else { return nil }
    }
    return parameters
}
