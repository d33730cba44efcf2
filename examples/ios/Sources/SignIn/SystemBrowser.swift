#if canImport(AuthenticationServices)
    import AuthenticationServices
    import SignInProtocol

    /// The browser of the system, in a sheet that the app cannot look into (RFC 8252 §6). It has the cookies of the user's
    /// browser: who is signed in with the IdP there is not asked again.
    @MainActor
    public final class SystemBrowser: NSObject, ASWebAuthenticationPresentationContextProviding {
        private let anchor: ASPresentationAnchor
        /// Held until its answer is there: it ends when nobody holds it.
        private var session: ASWebAuthenticationSession?
        private var waiting: CheckedContinuation<URL?, any Error>?

        /// - Parameter anchor: the window above which the sheet appears
        public init(anchor: ASPresentationAnchor) {
            self.anchor = anchor
        }

        /// Opens an address, and waits for the deep link.
        ///
        /// - Returns: the link; nil when the user closed the sheet
        /// - Throws: `Failure` when the system does not open it, as for a host that does not name the app under
        ///   `webcredentials`
        public func open(_ url: URL, until deepLink: String) async throws -> URL? {
            let callback = try buildCallback(deepLink)
            return try await withCheckedThrowingContinuation { continuation in
                finish(.success(nil)) // One sheet at a time.
                waiting = continuation
                let session = ASWebAuthenticationSession(url: url, callback: callback) { @Sendable [weak self] link, error in
                    let result = judge(link, error)
                    Task { @MainActor in self?.finish(result) }
                }
                session.presentationContextProvider = self
                self.session = session
                if !session.start() { finish(.failure(Failure("unexpected"))) }
            }
        }

        public func presentationAnchor(for session: ASWebAuthenticationSession) -> ASPresentationAnchor {
            anchor
        }

        /// Once: a session that does not start may say so twice.
        private func finish(_ result: Result<URL?, any Error>) {
            waiting?.resume(with: result)
            waiting = nil
            session = nil
        }
    }

    /// A claimed https link needs the host among the associated domains, as `applinks:` and as `webcredentials:`; a
    /// private-use scheme needs no entry anywhere.
    private func buildCallback(_ deepLink: String) throws -> ASWebAuthenticationSession.Callback {
        guard let link = URLComponents(string: deepLink), let scheme = link.scheme else { throw Failure("unexpected") }
        if scheme != "https" { return .customScheme(scheme) }
        guard let host = link.host else { throw Failure("unexpected") }
        return .https(host: host, path: link.path)
    }

    private func judge(_ link: URL?, _ error: (any Error)?) -> Result<URL?, any Error> {
        if let link { return .success(link) }
        let isCancelled = (error as? ASWebAuthenticationSessionError)?.code == .canceledLogin
        return isCancelled ? .success(nil) : .failure(Failure("unexpected"))
    }
#endif
