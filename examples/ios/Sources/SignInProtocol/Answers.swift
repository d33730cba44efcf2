import Foundation

/// An answer as the HTTP client got it.
public struct Answer: Sendable {
    public let status: Int
    public let body: Data
    /// The header `Retry-After`, where there is one.
    public let retryAfter: String?

    public init(status: Int, body: Data, retryAfter: String? = nil) {
        self.status = status
        self.body = body
        self.retryAfter = retryAfter
    }
}

/// Claims that the service shows (`SESSION_CLAIMS`); `sub` is the one that never changes hands.
public struct User: Equatable, Sendable {
    public let sub: String
    public let name: String?
    public let email: String?
}

/// Who is signed in, and for how many seconds more.
public struct SessionView: Equatable, Sendable {
    public let user: User
    public let expiresInS: Int
}

/// Why there is no answer to go on with.
public struct Failure: Error, Equatable, Sendable {
    /// The service's, or one of ours: `network`, `unexpected`.
    public let code: String
    /// The number under which the service has it in its log; to be shown, so that a user can name it.
    public let errorId: String?
    /// Whole seconds.
    public let retryAfterS: Int?

    public init(_ code: String, errorId: String? = nil, retryAfterS: Int? = nil) {
        self.code = code
        self.errorId = errorId
        self.retryAfterS = retryAfterS
    }
}

/// - Throws: `Failure`: the service's, by its code; `unexpected` for an answer that is not the service's
func readBody(_ answer: Answer) throws -> [String: Any] {
    let members = (try? JSONSerialization.jsonObject(with: answer.body)) as? [String: Any]
    if (200..<300).contains(answer.status), let members { return members }
    // All three, or it is an API behind the service that speaks: its 401 does not end our session.
    guard answer.status >= 400,
        let error = members?["error"] as? String,
        let errorId = members?["error_id"] as? String
    else { throw Failure("unexpected") }
    throw Failure(error, errorId: errorId, retryAfterS: answer.retryAfter.flatMap(readSeconds))
}

private func readSeconds(_ text: String) -> Int? {
    text.range(of: "^[0-9]{1,5}\\z", options: .regularExpression) == nil ? nil : Int(text)
}

/// - Returns: nil when nobody is signed in
/// - Throws: `Failure`
func readView(_ answer: Answer) throws -> SessionView? {
    let members = try readBody(answer)
    guard let authenticated = members["authenticated"] as? Bool else { throw Failure("unexpected") }
    if !authenticated { return nil }
    guard let user = members["user"] as? [String: Any],
        let sub = user["sub"] as? String,
        let expiresInS = members["expires_in"] as? Int
    else { throw Failure("unexpected") }
    let claims = User(sub: sub, name: user["name"] as? String, email: user["email"] as? String)
    return SessionView(user: claims, expiresInS: expiresInS)
}

/// - Throws: `Failure`, also when the session did not come in the kind that was asked for
func readHandoff(_ answer: Answer, _ kind: SessionKind) throws -> (view: SessionView, credential: Credential) {
    guard let view = try readView(answer) else { throw Failure("unexpected") }
    if kind == .cookie { return (view, .cookie) }
    guard let token = try readBody(answer)["session_token"] as? String else { throw Failure("unexpected") }
    return (view, .token(token))
}

/// - Returns: where the system's browser ends the session with the IdP too, good for a minute; nil when it cannot
/// - Throws: `Failure`
func readSignOut(_ service: Service, _ answer: Answer) throws -> String? {
    let url = try readBody(answer)["logout_url"] as? String
    return url.flatMap { $0.hasPrefix("\(service.url)/auth/logout/") ? $0 : nil }
}
