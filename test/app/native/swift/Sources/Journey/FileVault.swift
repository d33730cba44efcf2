import Foundation
import SignInProtocol

/// Keeps values in a file, so that they survive the end of this process as those of Keychain do.
struct FileVault: Vault {
    let file: URL

    func read(_ name: String) throws -> String? {
        try load()[name]
    }

    func write(_ name: String, _ value: String) throws {
        try save(load().merging([name: value]) { $1 })
    }

    func remove(_ name: String) throws {
        try save(load().filter { $0.key != name })
    }

    private func load() throws -> [String: String] {
        guard FileManager.default.fileExists(atPath: file.path) else { return [:] }
        return try JSONDecoder().decode([String: String].self, from: Data(contentsOf: file))
    }

    private func save(_ values: [String: String]) throws {
        try JSONEncoder().encode(values).write(to: file)
    }
}
