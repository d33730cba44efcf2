import SignInProtocol
import SwiftUI

/// One view: who is signed in, and what they can do.
struct SessionScreen: View {
    let model: SessionModel
    @Environment(\.openURL) private var openURL

    var body: some View {
        VStack(spacing: 16) {
            switch model.state {
            case .unknown:
                if model.message.isEmpty {
                    ProgressView()
                } else {
                    Button("Try again") { Task { await model.load() } }
                }
            case .signedOut:
                Button("Log in") { signIn(.token) }
                Button("Log in, session as a cookie") { signIn(.cookie) }
            case .signedIn(let view):
                Text(view.user.name ?? view.user.sub).font(.title)
                Button("Call the API") { Task { await model.callAPI() } }
                Button("Refresh") { Task { await model.refresh() } }
                Button("Sign out") { signOut() }
            }
            Text(model.message)
        }
        .buttonStyle(.borderedProminent)
        .padding()
        .task { await model.load() }
    }

    private func signIn(_ kind: SessionKind) {
        guard let window = findWindow() else { return }
        Task { await model.signIn(kind, above: window) }
    }

    private func signOut() {
        Task {
            guard let url = await model.signOut() else { return }
            openURL(url)
        }
    }

    private func findWindow() -> UIWindow? {
        UIApplication.shared.connectedScenes.compactMap { ($0 as? UIWindowScene)?.keyWindow }.first
    }
}
