import AuthenticationServices
import Observation
import SignIn
import SignInProtocol

/// What the screen shows: who is signed in, and what went wrong.
@MainActor @Observable
final class SessionModel {
    enum State: Equatable {
        /// Offline at the start nobody knows who is signed in; that is no reason to say that nobody is.
        case unknown
        case signedOut
        case signedIn(SessionView)
    }

    private(set) var state = State.unknown
    private(set) var message = ""
    private let flow: Flow

    init(flow: Flow) {
        self.flow = flow
    }

    func load() async {
        await perform { self.show(try await self.flow.loadView()) }
    }

    /// - Parameter window: above which the browser's sheet appears
    func signIn(_ kind: SessionKind, above window: ASPresentationAnchor) async {
        await perform {
            let begun = try await self.flow.begin(kind)
            guard let url = URL(string: begun.url) else { throw Failure("unexpected") }
            let link = try await SystemBrowser(anchor: window).open(url, until: service.deepLink)
            guard let link, let view = try await self.flow.acceptDeepLink(link.absoluteString) else { return }
            self.show(view)
        }
    }

    func refresh() async {
        await perform { self.show(try await self.flow.refresh()) }
    }

    func callAPI() async {
        await perform { self.message = try await self.flow.callAPI(apiPath) }
    }

    /// - Returns: where the system's browser ends the session with the IdP too
    func signOut() async -> URL? {
        state = .signedOut  // Here at once, whatever the service says.
        let url = await perform { try await self.flow.signOut() }
        return url.flatMap { $0 }.flatMap(URL.init(string:))
    }

    private func show(_ view: SessionView?) {
        state = view.map(State.signedIn) ?? .signedOut
    }

    @discardableResult
    private func perform<Result: Sendable>(_ action: @MainActor () async throws -> Result) async -> Result? {
        message = ""
        do {
            return try await action()
        } catch {
            await show(error as? Failure ?? Failure("unexpected"))
            return nil
        }
    }

    private func show(_ failure: Failure) async {
        switch adviseOn(failure.code) {
        case .dismiss: message = ""
        case .signIn: message = "Signing in did not work. Please try again."
        case .later: message = "That is not possible just now. Please try again in a moment."
        case .report: message = "That did not work. \(failure.errorId ?? "")"
        case .signedOut:
            try? await flow.forgetSession()
            state = .signedOut
            message = "Your session has ended. Please sign in again."
        }
    }
}
