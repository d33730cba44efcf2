/// The key store of the system: what it keeps survives the end of the app, and no other app reads it.
public protocol Vault: Sendable {
    func read(_ name: String) throws -> String?
    func write(_ name: String, _ value: String) throws
    func remove(_ name: String) throws
}

/// What a sign-in begins with: the address for the system's browser.
public struct Begun: Sendable {
    public let url: String
}

private let kindName = "kind"
private let tokenName = "token"

/// The life of a session in the app, from the start of a sign-in to the sign-out. What goes wrong is a `Failure`.
public actor Flow {
    private let service: Service
    private let vault: any Vault
    private let crypto: Crypto
    private let client: HTTPClient
    private var signIn: SignInRequest?

    public init(service: Service, vault: any Vault, crypto: Crypto, client: HTTPClient = HTTPClient()) {
        self.service = service
        self.vault = vault
        self.crypto = crypto
        self.client = client
    }

    public func begin(_ kind: SessionKind) throws -> Begun {
        let signIn = try createSignIn(kind, crypto)
        self.signIn = signIn
        return Begun(url: buildStartURL(service, signIn, challenge: buildChallenge(signIn.verifier, crypto)))
    }

    /// - Returns: nil for a link that is not the answer to a sign-in of this app
    /// - Throws: `Failure` with what the sign-in ended in, such as `access_denied`
    public func acceptDeepLink(_ link: String) async throws -> SessionView? {
        guard let signIn else { return nil }
        let verdict = judgeDeepLink(service, signIn, link)
        if verdict != .foreign { self.signIn = nil }  // One answer for each sign-in, whatever it is.
        switch verdict {
        case .foreign:
            return nil
        case .failed(let error):
            throw Failure(error)
        case .redeem(let code):
            let answer = try await client.send(try buildHandoff(service, signIn, code: code))
            let (view, credential) = try readHandoff(answer, signIn.kind)
            try keep(credential)
            return view
        }
    }

    /// Who is signed in, by the credential that was kept; nil when nobody is.
    public func loadView() async throws -> SessionView? {
        guard let credential = try readCredential() else { return nil }
        return try readView(await client.send(try buildView(service, credential)))
    }

    public func refresh() async throws -> SessionView? {
        try readView(await client.send(try buildRefresh(service, try requireCredential())))
    }

    /// - Returns: the body of the API's answer
    public func callAPI(_ path: String) async throws -> String {
        let answer = try await client.send(try buildCall(service, try requireCredential(), path: path))
        _ = try readBody(answer)
        return String(decoding: answer.body, as: UTF8.self)
    }

    /// Signs out here, whatever the service says.
    ///
    /// - Returns: where the system's browser ends the session with the IdP too
    public func signOut() async throws -> String? {
        guard let credential = try readCredential() else { return nil }
        let request = try buildSignOut(service, credential)
        do {
            let answer = try await client.send(request)
            try forgetSession()
            return try readSignOut(service, answer)
        } catch {
            try forgetSession()
            throw error
        }
    }

    /// To be called when the service says that the session is over.
    public func forgetSession() throws {
        client.forgetCookies(of: service)
        try vault.remove(tokenName)
        try vault.remove(kindName)
    }

    private func requireCredential() throws -> Credential {
        guard let credential = try readCredential() else { throw Failure("unauthenticated") }
        return credential
    }

    private func keep(_ credential: Credential) throws {
        switch credential {
        case .cookie:
            try vault.remove(tokenName)
            try vault.write(kindName, SessionKind.cookie.rawValue)
        case .token(let token):
            try vault.write(tokenName, token)
            try vault.write(kindName, SessionKind.token.rawValue)
        }
    }

    private func readCredential() throws -> Credential? {
        switch try vault.read(kindName).flatMap(SessionKind.init) {
        case .cookie: .cookie
        case .token: try vault.read(tokenName).map(Credential.token)
        case nil: nil
        }
    }
}
