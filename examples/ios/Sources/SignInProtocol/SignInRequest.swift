import Foundation

/// How the app keeps its session: a cookie in its HTTP client, or a token in Keychain.
public enum SessionKind: String, Sendable {
    case cookie
    case token
}

/// A sign-in in flight. It lasts as long as the browser's sheet is open: when the system ends the app, both are gone.
struct SignInRequest: Sendable {
    /// Never leaves the phone before the handoff (RFC 7636 §4.1).
    let verifier: String
    /// Comes back in the deep link, and tells this sign-in from one that somebody else began.
    let state: String
    let kind: SessionKind
}

/// New secrets for each sign-in: an old verifier may be known, an old state may come back.
func createSignIn(_ kind: SessionKind, _ crypto: Crypto) throws -> SignInRequest {
    SignInRequest(verifier: try createSecret(crypto), state: try createSecret(crypto), kind: kind)
}

/// What stays as it is in a query (RFC 3986 §2.3): `URLQueryItem` would leave a `+`, which some read as a space.
private let unreserved = CharacterSet(
    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

/// What the system's browser opens; never a web view, in which the app could read the password (RFC 8252 §8.12).
func buildStartURL(_ service: Service, _ signIn: SignInRequest, challenge: String) -> String {
    let query = [
        ("app", service.app),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
        ("state", signIn.state),
    ]
    let encoded = query.map { name, value in
        "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: unreserved) ?? "")"
    }
    return "\(service.url)/auth/start?\(encoded.joined(separator: "&"))"
}
