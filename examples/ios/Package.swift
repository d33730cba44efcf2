// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "OtenSignIn",
    platforms: [.iOS("17.4"), .macOS("14.4")],  // From these on a claimed https link can end a web authentication session.
    products: [.library(name: "SignIn", targets: ["SignIn", "SignInProtocol"])],
    targets: [
        // Foundation alone: the same sources are compiled and tested on Linux.
        .target(name: "SignInProtocol"),
        .target(name: "SignIn", dependencies: ["SignInProtocol"]),
        .testTarget(name: "SignInProtocolTests", dependencies: ["SignInProtocol"]),
    ]
)
