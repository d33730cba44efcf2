import Foundation

@testable import SignInProtocol

#if canImport(CryptoKit)
    import CryptoKit
#endif

/// Random octets and SHA-256 where the tests run. Linux has no CryptoKit; there the program `sha256sum` computes.
enum TestCrypto {
    static let crypto = Crypto(randomBytes: randomBytes, sha256: sha256)

    @Sendable static func randomBytes(_ count: Int) -> Data {
        var generator = SystemRandomNumberGenerator()
        return Data((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    #if canImport(CryptoKit)
        @Sendable static func sha256(_ octets: Data) -> Data { Data(SHA256.hash(data: octets)) }
    #else
        @Sendable static func sha256(_ octets: Data) -> Data {
            let program = Process()
            let (input, output) = (Pipe(), Pipe())
            program.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
            program.standardInput = input
            program.standardOutput = output
            do { try program.run() } catch { fatalError("sha256sum: \(error)") }
            input.fileHandleForWriting.write(octets)
            input.fileHandleForWriting.closeFile()
            let line = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            return readHex(String(line.prefix(64)))
        }
    #endif
}

func readHex(_ text: String) -> Data {
    let digits = Array(text)
    return Data(stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16) ?? 0 })
}
