import SignIn
import SignInProtocol
import SwiftUI

/// Yours. The entitlements name the same host.
let service = Service(
    url: "https://app.example.com",
    app: "ios",
    deepLink: "https://app.example.com/signed-in"
)

/// A path of `API_ROUTES`.
let apiPath = "/api/orders"

@main
struct ExampleApp: App {
    @State private var model = SessionModel(flow: Flow(service: service, vault: KeychainVault(), crypto: .apple))

    var body: some Scene {
        WindowGroup {
            SessionScreen(model: model)
        }
    }
}
