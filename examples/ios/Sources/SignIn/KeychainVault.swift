#if canImport(Security)
    import Foundation
    import Security
    import SignInProtocol

    /// Keeps values in Keychain: on this device alone, readable once it was unlocked after its start.
    public struct KeychainVault: Vault {
        private let service: String

        public init(service: String = "sign-in") {
            self.service = service
        }

        public func read(_ name: String) throws -> String? {
            var query = item(name)
            query[kSecReturnData] = true
            query[kSecMatchLimit] = kSecMatchLimitOne
            var found: CFTypeRef?
            let status = SecItemCopyMatching(query as CFDictionary, &found)
            if status == errSecItemNotFound { return nil }
            try require(status)
            return (found as? Data).map { String(decoding: $0, as: UTF8.self) }
        }

        public func write(_ name: String, _ value: String) throws {
            let content: [CFString: Any] = [
                kSecValueData: Data(value.utf8),
                // Neither a backup nor another device gets to see it.
                kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly,
            ]
            let status = SecItemUpdate(item(name) as CFDictionary, content as CFDictionary)
            if status != errSecItemNotFound { return try require(status) }
            try require(SecItemAdd(item(name).merging(content) { $1 } as CFDictionary, nil))
        }

        public func remove(_ name: String) throws {
            let status = SecItemDelete(item(name) as CFDictionary)
            if status != errSecItemNotFound { try require(status) }
        }

        private func item(_ name: String) -> [CFString: Any] {
            [
                kSecClass: kSecClassGenericPassword,
                kSecAttrService: service,
                kSecAttrAccount: name,
                kSecUseDataProtectionKeychain: true,
            ]
        }

        private func require(_ status: OSStatus) throws {
            guard status == errSecSuccess else { throw Failure("unexpected") }
        }
    }
#endif
