import Foundation

/// A request as data: an HTTP client sends it, and must follow no redirect.
public struct ServiceRequest: Sendable {
    public let method: String
    public let url: String
    public let headers: [String: String]
    public let body: Data?
    /// Whether the cookies of the HTTP client take part.
    public let usesCookies: Bool
}

/// What shows who is signed in. Of a cookie the app holds nothing: `HTTPCookieStorage` does.
public enum Credential: Equatable, Sendable {
    case cookie
    case token(String)
}

/// Redeems the code. To be sent once: a code that comes a second time ends the session that it gave. So when the answer is
/// lost, the user signs in again.
func buildHandoff(_ service: Service, _ signIn: SignInRequest, code: String) throws -> ServiceRequest {
    let body = ["code": code, "code_verifier": signIn.verifier, "session": signIn.kind.rawValue]
    return ServiceRequest(
        method: "POST",
        url: "\(service.url)/auth/handoff",
        headers: ["accept": "application/json", "content-type": "application/json"],
        body: try JSONEncoder().encode(body),
        usesCookies: signIn.kind == .cookie
    )
}

/// Who is signed in. Does not count as use of the session.
func buildView(_ service: Service, _ credential: Credential) throws -> ServiceRequest {
    try buildCall(service, credential, path: "/auth/session")
}

/// Renews the tokens, and with them what is known of the user.
func buildRefresh(_ service: Service, _ credential: Credential) throws -> ServiceRequest {
    try buildCall(service, credential, path: "/auth/refresh", method: "POST")
}

/// Ends the session at the service. Whatever comes of it, the app forgets its credential.
func buildSignOut(_ service: Service, _ credential: Credential) throws -> ServiceRequest {
    try buildCall(service, credential, path: "/auth/logout", method: "POST")
}

/// A path that could lead the credential to another host: `.example.org` behind the origin, `//host`.
struct InvalidPath: Error {}

/// A call of an API behind the service.
///
/// - Throws: `InvalidPath`
func buildCall(
    _ service: Service,
    _ credential: Credential,
    path: String,
    method: String = "GET"
) throws -> ServiceRequest {
    guard path.range(of: "^/(?![/\\\\])[!-\\[\\]-~]*\\z", options: .regularExpression) != nil else { throw InvalidPath() }
    var headers = ["accept": "application/json"]
    if case .token(let token) = credential { headers["authorization"] = "Bearer \(token)" }
    return ServiceRequest(
        method: method, url: service.url + path, headers: headers, body: nil, usesCookies: credential == .cookie)
}
