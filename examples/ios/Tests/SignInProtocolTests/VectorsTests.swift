import Foundation
import XCTest

@testable import SignInProtocol

final class VectorsTests: XCTestCase {
    private let service = Service(url: "https://app.example.com", app: "ios", deepLink: "com.example.app:/signed-in")
    private var vectors: Vectors!

    override func setUpWithError() throws {
        vectors = try Vectors.load()
    }

    func testOctetsInBase64URL() {
        XCTAssertFalse(vectors.base64url.isEmpty)
        for vector in vectors.base64url { XCTAssertEqual(encodeBase64URL(readHex(vector.hex)), vector.text) }
    }

    func testAChallengeIsTheS256OfItsVerifier() {
        XCTAssertFalse(vectors.challenges.isEmpty)
        for vector in vectors.challenges {
            XCTAssertEqual(TestCrypto.sha256(Data(vector.verifier.utf8)), readHex(vector.sha256))
            XCTAssertEqual(buildChallenge(vector.verifier, TestCrypto.crypto), vector.challenge)
        }
    }

    func testSecretsHave43CharactersAndAreNeverTheSame() throws {
        let secrets = try (0..<100).map { _ in try createSecret(TestCrypto.crypto) }
        XCTAssertTrue(secrets.allSatisfy { $0.range(of: "^[A-Za-z0-9_-]{43}$", options: .regularExpression) != nil })
        XCTAssertEqual(Set(secrets).count, 100)
        let signIn = try createSignIn(.token, TestCrypto.crypto)
        XCTAssertNotEqual(signIn.verifier, signIn.state)
    }

    func testWhatTheBrowserOpens() {
        XCTAssertFalse(vectors.starts.isEmpty)
        for vector in vectors.starts {
            let service = Service(url: vector.service, app: vector.app, deepLink: "com.example.app:/signed-in")
            let signIn = SignInRequest(verifier: vector.verifier, state: vector.state, kind: .token)
            let challenge = buildChallenge(vector.verifier, TestCrypto.crypto)
            XCTAssertEqual(buildStartURL(service, signIn, challenge: challenge), vector.url)
        }
    }

    func testWhichLinksAreAcceptedAndWhichAreDropped() {
        XCTAssertFalse(vectors.links.isEmpty)
        for vector in vectors.links {
            let service = Service(url: "https://app.example.com", app: "ios", deepLink: vector.deepLink)
            let signIn = vector.state.map { SignInRequest(verifier: "v", state: $0, kind: .token) }
            let expected: Verdict =
                switch (vector.verdict.code, vector.verdict.error) {
                case (let code?, _): .redeem(code: code)
                case (nil, let error?): .failed(error: error)
                default: .foreign
                }
            XCTAssertEqual(judgeDeepLink(service, signIn, vector.link), expected, vector.what)
        }
    }

    func testHowACodeIsRedeemed() throws {
        XCTAssertFalse(vectors.handoffs.isEmpty)
        for vector in vectors.handoffs {
            let kind = try XCTUnwrap(SessionKind(rawValue: vector.session))
            let service = Service(url: vector.service, app: "ios", deepLink: "com.example.app:/signed-in")
            let signIn = SignInRequest(verifier: vector.verifier, state: "state", kind: kind)
            let request = try buildHandoff(service, signIn, code: vector.code)
            XCTAssertEqual(request.method, "POST")
            XCTAssertEqual(request.url, vector.url)
            XCTAssertEqual(request.headers["content-type"], "application/json")
            XCTAssertEqual(request.usesCookies, kind == .cookie)
            let body = try JSONDecoder().decode([String: String].self, from: try XCTUnwrap(request.body))
            XCTAssertEqual(body, vector.body)
        }
    }

    func testACredentialIsSentToTheServiceAndNowhereElse() throws {
        for path in vectors.paths.good {
            let request = try buildCall(service, .token("t"), path: path)
            XCTAssertEqual(request.url, service.url + path)
            XCTAssertEqual(request.headers["authorization"], "Bearer t")
            XCTAssertFalse(request.usesCookies)
        }
        for path in vectors.paths.bad { XCTAssertThrowsError(try buildCall(service, .token("t"), path: path), path) }
        let cookie = try buildCall(service, .cookie, path: "/")
        XCTAssertEqual(cookie.headers, ["accept": "application/json"])
        XCTAssertTrue(cookie.usesCookies)
    }

    func testWhatAnAnswerSaysThatIsAFailure() {
        XCTAssertFalse(vectors.failures.isEmpty)
        for vector in vectors.failures {
            let answer = Answer(status: vector.status, body: Data(vector.body.utf8), retryAfter: vector.retryAfter)
            let expected = Failure(vector.code, errorId: vector.errorId, retryAfterS: vector.retryAfterS)
            XCTAssertThrowsError(try readBody(answer), vector.what) { XCTAssertEqual($0 as? Failure, expected, vector.what) }
        }
    }

    func testWhoIsSignedIn() throws {
        XCTAssertFalse(vectors.views.isEmpty)
        for vector in vectors.views {
            let answer = Answer(status: 200, body: Data(vector.body.utf8))
            if let view = vector.view {
                let user = User(sub: view.sub, name: view.name, email: view.email)
                XCTAssertEqual(try readView(answer), SessionView(user: user, expiresInS: view.expiresInS), vector.what)
            } else if vector.word == "signed-out" {
                XCTAssertNil(try readView(answer), vector.what)
            } else {
                XCTAssertThrowsError(try readView(answer), vector.what)
            }
        }
    }

    func testASessionThatCameInAnotherKindThanWasAskedForIsNone() throws {
        let body = #"{"authenticated":true,"user":{"sub":"u1"},"expires_in":1,"session_token":"t"}"#
        let answer = Answer(status: 200, body: Data(body.utf8))
        XCTAssertEqual(try readHandoff(answer, .token).credential, .token("t"))
        XCTAssertEqual(try readHandoff(answer, .cookie).credential, .cookie)
        let without = Answer(status: 200, body: Data(body.replacingOccurrences(of: "session_token", with: "x").utf8))
        XCTAssertThrowsError(try readHandoff(without, .token))
        XCTAssertThrowsError(try readHandoff(Answer(status: 200, body: Data(#"{"authenticated":false}"#.utf8)), .cookie))
    }

    func testWhereASignOutLeadsOnTo() throws {
        XCTAssertFalse(vectors.signOuts.isEmpty)
        for vector in vectors.signOuts {
            let answer = Answer(status: 200, body: Data(vector.body.utf8))
            XCTAssertEqual(try readSignOut(service, answer), vector.url, vector.body)
        }
    }

    func testWhatTheAppDoesAboutEachFailure() {
        XCTAssertFalse(vectors.advice.isEmpty)
        for (name, codes) in vectors.advice {
            for code in codes { XCTAssertEqual(adviseOn(code).rawValue, name, code) }
        }
    }
}
