#if canImport(CryptoKit)
    import CryptoKit
    import Foundation
    import Security
    import SignInProtocol

    extension Crypto {
        /// The system's generator, and CryptoKit's SHA-256.
        public static let apple = Crypto(
            randomBytes: { count in
                var octets = [UInt8](repeating: 0, count: count)
                // Its failure must not be read as 32 zeros.
                guard SecRandomCopyBytes(kSecRandomDefault, count, &octets) == errSecSuccess else {
                    throw Failure("unexpected")
                }
                return Data(octets)
            },
            sha256: { Data(SHA256.hash(data: $0)) }
        )
    }
#endif
