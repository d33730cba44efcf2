// swift-tools-version: 6.0
import PackageDescription

// Stands beside a copy of examples/ios; see swift.native.ts.
let package = Package(
    name: "Journey",
    dependencies: [.package(name: "OtenSignIn", path: "../ios")],
    targets: [
        .executableTarget(name: "Journey", dependencies: [.product(name: "SignIn", package: "OtenSignIn")])
    ]
)
