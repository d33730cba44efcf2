import Foundation

/// What the platform brings: its secure random generator, and SHA-256.
public struct Crypto: Sendable {
    let randomBytes: @Sendable (Int) throws -> Data
    let sha256: @Sendable (Data) -> Data

    public init(randomBytes: @escaping @Sendable (Int) throws -> Data, sha256: @escaping @Sendable (Data) -> Data) {
        self.randomBytes = randomBytes
        self.sha256 = sha256
    }
}

/// Base64url without padding (RFC 4648 §5).
func encodeBase64URL(_ octets: Data) -> String {
    octets.base64EncodedString()
        .replacingOccurrences(of: "+", with: "-")
        .replacingOccurrences(of: "/", with: "_")
        .replacingOccurrences(of: "=", with: "")
}

/// 256 random bits in 43 characters: good as a code verifier (RFC 7636 §4.1) and as a state.
func createSecret(_ crypto: Crypto) throws -> String {
    encodeBase64URL(try crypto.randomBytes(32))
}

/// S256 of a verifier (RFC 7636 §4.2), whose characters are ASCII.
func buildChallenge(_ verifier: String, _ crypto: Crypto) -> String {
    encodeBase64URL(crypto.sha256(Data(verifier.utf8)))
}
