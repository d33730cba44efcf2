import Foundation

/// The vectors that the examples of all three languages share: `test/app/vectors.json`.
struct Vectors: Decodable {
    struct Octets: Decodable {
        let hex: String
        let text: String
    }
    struct Challenge: Decodable {
        let verifier: String
        let sha256: String
        let challenge: String
    }
    struct Start: Decodable {
        let service: String
        let app: String
        let verifier: String
        let state: String
        let url: String
    }
    struct Link: Decodable {
        let what: String
        let deepLink: String
        let state: String?
        let link: String
        let verdict: Expected
    }
    struct Expected: Decodable {
        let kind: String
        let code: String?
        let error: String?
    }
    struct Handoff: Decodable {
        let service: String
        let session: String
        let verifier: String
        let code: String
        let url: String
        let body: [String: String]
    }
    struct Paths: Decodable {
        let good: [String]
        let bad: [String]
    }
    struct Failed: Decodable {
        let what: String
        let status: Int
        let body: String
        let retryAfter: String?
        let code: String
        let errorId: String?
        let retryAfterS: Int?
    }
    struct SignOut: Decodable {
        let body: String
        let url: String?
    }

    let base64url: [Octets]
    let challenges: [Challenge]
    let starts: [Start]
    let links: [Link]
    let handoffs: [Handoff]
    let paths: Paths
    let failures: [Failed]
    let views: [ViewVector]
    let advice: [String: [String]]
    let signOuts: [SignOut]

    static func load() throws -> Vectors {
        let file = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../../test/app/vectors.json")
        return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file.standardizedFileURL))
    }
}

/// A view, or the word for what there is instead of one.
struct ViewVector: Decodable {
    struct View: Decodable {
        let sub: String
        let name: String?
        let email: String?
        let expiresInS: Int
    }
    enum Names: String, CodingKey {
        case what, body, view
    }

    let what: String
    let body: String
    let view: View?
    let word: String?

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Names.self)
        what = try members.decode(String.self, forKey: .what)
        body = try members.decode(String.self, forKey: .body)
        word = try? members.decode(String.self, forKey: .view)
        view = word == nil ? try members.decode(View.self, forKey: .view) : nil
    }
}
