import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Sends requests of the protocol. Its cookies are those of the app, which outlive it, and never those of the browser.
public final class HTTPClient: NSObject, URLSessionTaskDelegate, Sendable {
    private let cookies: HTTPCookieStorage
    private let timeoutS: TimeInterval

    public init(cookies: HTTPCookieStorage = .shared, timeoutS: TimeInterval = 15) {
        self.cookies = cookies
        self.timeoutS = timeoutS
    }

    /// - Throws: `Failure` `network` when there is no answer
    public func send(_ request: ServiceRequest) async throws -> Answer {
        guard let url = URL(string: request.url) else { throw Failure("unexpected") }
        var sent = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: timeoutS)
        sent.httpMethod = request.method
        sent.httpBody = request.body
        sent.httpShouldHandleCookies = request.usesCookies
        for (name, value) in request.headers { sent.setValue(value, forHTTPHeaderField: name) }
        let configuration = URLSessionConfiguration.default
        configuration.httpCookieStorage = cookies
        configuration.urlCache = nil  // No answer of the service belongs on the disk.
        let session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        guard let (body, response) = try? await session.data(for: sent), let http = response as? HTTPURLResponse else {
            throw Failure("network")
        }
        let retryAfter = http.value(forHTTPHeaderField: "Retry-After")
        return Answer(status: http.statusCode, body: body, retryAfter: retryAfter)
    }

    /// Follows no redirect: the credential would go wherever an answer points to.
    public func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    /// Takes away the service's cookies, also those of a session that could not be ended for want of a network.
    public func forgetCookies(of service: Service) {
        guard let url = URL(string: service.url) else { return }
        for cookie in cookies.cookies(for: url) ?? [] { cookies.deleteCookie(cookie) }
    }
}
