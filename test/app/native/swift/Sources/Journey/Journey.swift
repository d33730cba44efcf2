import Foundation
import SignInProtocol

/// Plays an app without a device: takes one command a line, answers each with a line of JSON.
@main
struct Journey {
    static func main() async throws {
        let arguments = CommandLine.arguments
        let service = Service(url: arguments[1], app: arguments[2], deepLink: arguments[3])
        let vault = FileVault(file: URL(fileURLWithPath: arguments[4]))
        let flow = Flow(service: service, vault: vault, crypto: TestCrypto.crypto)
        while let line = readLine() {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let answer: Data
            do {
                answer = try await obey(flow, parts[0], parts.count > 1 ? parts[1] : "")
            } catch let failure as Failure {
                answer = try encode(["failure": failure.code])
            }
            FileHandle.standardOutput.write(answer + Data("\n".utf8))
        }
    }
}

private struct NoSuchCommand: Error {}

private func obey(_ flow: Flow, _ command: String, _ argument: String) async throws -> Data {
    switch command {
    case "begin":
        return try encode(["url": try await flow.begin(argument == "token" ? .token : .cookie).url])
    case "link":
        guard let view = try await flow.acceptDeepLink(argument) else { return try encode(["foreign": true]) }
        return try encode(["sub": view.user.sub])
    case "view":
        return try encode(["sub": try await flow.loadView()?.user.sub])
    case "refresh":
        return try encode(["sub": try await flow.refresh()?.user.sub])
    case "api":
        return Data(#"{"answer":\#(try await flow.callAPI(argument))}"#.utf8)
    case "sign-out":
        return try encode(["url": try await flow.signOut()])
    default:
        throw NoSuchCommand()
    }
}

private func encode<Value: Encodable>(_ members: [String: Value]) throws -> Data {
    try JSONEncoder().encode(members)
}
