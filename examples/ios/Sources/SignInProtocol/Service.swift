/// What the app knows of the service. None of it is secret.
public struct Service: Sendable {
    /// `PUBLIC_URL` of the service: an origin, without a path or a slash at its end.
    public let url: String
    /// The app's id in `APPS`.
    public let app: String
    /// The app's deep link, to the letter as it stands in `APPS`.
    public let deepLink: String

    public init(url: String, app: String, deepLink: String) {
        self.url = url
        self.app = app
        self.deepLink = deepLink
    }
}
