export type ErrorBody = {
    /** Stable code */
    error: string;
    /** A fixed sentence; never an echo of input */
    error_description: string;
    /** Request id, also in the log */
    error_id: string;
};
export interface Operations {
    /** GET /auth/start: Sign the authorization request and send the browser to the IdP */
    startSignIn: {
        query: {
            /** Path on PUBLIC_URL, or URL on an allowed origin. Default `/` */
            return_to?: string;
            /** Form of the answer */
            response?: "json" | "redirect";
            /** As OIDC Core §3.1.2.1; `none` stands alone */
            prompt?: string;
            /** Seconds since the user last signed in */
            max_age?: string;
            /** Whom the IdP should ask */
            login_hint?: string;
            ui_locales?: string;
            acr_values?: string;
            /** Id of a mobile app in APPS */
            app?: string;
            /** S256 of a verifier that the app keeps (RFC 7636) */
            code_challenge?: string;
            code_challenge_method?: "S256";
            /** The app's own */
            state?: string;
        };
        answers: {
            200: {
                /** Navigate there */
                authorization_url: string;
                /** Seconds for which the IdP accepts it */
                expires_in: number;
            };
            400: ErrorBody;
            403: ErrorBody;
            429: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** GET /auth/callback: Take the IdP's answer, redeem the code, start the session */
    finishSignIn: {
        query: {
            code?: unknown;
            state?: unknown;
            error?: unknown;
        };
        answers: {
            400: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** POST /auth/handoff: The app redeems its code for a session */
    redeemHandoff: {
        body: {
            /** From the deep link; one use, at most 60 seconds */
            code: string;
            /** What the code_challenge was made of (RFC 7636) */
            code_verifier: string;
            /** `cookie` (default): in the app's HTTP client; `token`: to be sent as Authorization: Bearer */
            session?: "cookie" | "token";
        };
        answers: {
            200: {
                authenticated: true;
                /** The claims named by SESSION_CLAIMS */
                user: {
                    /** The user, unique per issuer */
                    sub: string;
                    [claim: string]: unknown;
                };
                /** Public id; not the credential */
                session_id: string;
                /** Seconds until the session ends for good */
                expires_in: number;
                /** Seconds until it ends if it is not used */
                idle_expires_in: number;
                /** Seconds; 0 when expired */
                access_token_expires_in: number;
                /** Shown once */
                session_token?: string;
            };
            400: ErrorBody;
            403: ErrorBody;
            413: ErrorBody;
            415: ErrorBody;
            429: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** GET /auth/session: Who is signed in */
    getSession: {
        query: {
            /** Slide the idle limit */
            touch?: "true" | "false";
        };
        answers: {
            200: {
                authenticated: boolean;
                /** The claims named by SESSION_CLAIMS */
                user?: {
                    /** The user, unique per issuer */
                    sub: string;
                    [claim: string]: unknown;
                };
                /** Public id; not the credential */
                session_id?: string;
                /** Seconds until the session ends for good */
                expires_in?: number;
                /** Seconds until it ends if it is not used */
                idle_expires_in?: number;
                /** Seconds; 0 when expired */
                access_token_expires_in?: number;
            };
            400: ErrorBody;
            403: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** POST /auth/refresh: Renew the tokens now */
    refreshTokens: {
        answers: {
            200: {
                authenticated: true;
                /** The claims named by SESSION_CLAIMS */
                user: {
                    /** The user, unique per issuer */
                    sub: string;
                    [claim: string]: unknown;
                };
                /** Public id; not the credential */
                session_id: string;
                /** Seconds until the session ends for good */
                expires_in: number;
                /** Seconds until it ends if it is not used */
                idle_expires_in: number;
                /** Seconds; 0 when expired */
                access_token_expires_in: number;
            };
            401: ErrorBody;
            403: ErrorBody;
            409: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** GET /auth/sessions: This user's sessions, on all devices */
    listSessions: {
        answers: {
            200: {
                sessions: Array<{
                    /** Public id; not the credential */
                    session_id: string;
                    /** The one that asks */
                    current: boolean;
                    kind: "browser" | "app";
                    /** Id in APPS */
                    app: string | null;
                    /** Epoch seconds */
                    created_at: number;
                    /** Epoch seconds; in steps of up to a minute */
                    last_used_at: number;
                    user_agent: string;
                }>;
            };
            401: ErrorBody;
            403: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** DELETE /auth/sessions: End all of this user's other sessions */
    endOtherSessions: {
        answers: {
            200: {
                /** How many sessions ended */
                ended: number;
            };
            401: ErrorBody;
            403: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** DELETE /auth/sessions/{session_id}: End one of this user's sessions */
    endSession: {
        answers: {
            401: ErrorBody;
            403: ErrorBody;
            404: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** GET /auth/events: What happens to this session, as it happens */
    streamEvents: {
        answers: {
            401: ErrorBody;
            403: ErrorBody;
            429: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** POST /auth/logout: End the session here, and say where it can be ended at the IdP */
    signOut: {
        body: {
            /** Rules as for /auth/start */
            return_to?: string;
        } | null;
        answers: {
            200: {
                /** Navigate there; null when the IdP has no sign-out */
                logout_url: string | null;
            };
            400: ErrorBody;
            403: ErrorBody;
            413: ErrorBody;
            415: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** GET /auth/logout/continue: Send the browser on to the sign-out of the IdP */
    continueSignOut: {
        query: {
            ticket?: unknown;
        };
        answers: {
            200: string;
            400: ErrorBody;
            403: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** GET /auth/logged-out: Where the IdP sends the browser after its sign-out */
    signedOut: {
        query: {
            state?: unknown;
        };
        answers: {
            400: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** POST /auth/backchannel-logout: The IdP says that a session or a user was signed out */
    backchannelLogout: {
        body: {
            logout_token: string;
            [claim: string]: unknown;
        };
        answers: {
            200: Record<string, never>;
            400: ErrorBody;
            413: ErrorBody;
            429: ErrorBody;
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** GET /auth/jwks.json: The public signing keys (JWK Set) */
    getJwks: {
        answers: {
            200: {
                keys: Array<{
                    kty: "OKP";
                    crv: "Ed25519";
                    x: string;
                    kid: string;
                    alg: "EdDSA" | "Ed25519";
                    use: "sig";
                }>;
            };
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** GET /auth/openapi.yaml: This document */
    getOpenapi: {
        answers: {
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** GET /auth/client.js: The browser client, as one module */
    getClient: {
        answers: {
            500: ErrorBody;
            503: ErrorBody;
        };
    };
    /** GET /api/{path}: Pass a request on to an API of API_ROUTES, with the access token */
    getApi: {
        answers: {
            400: ErrorBody;
            401: ErrorBody;
            403: ErrorBody;
            404: ErrorBody;
            405: ErrorBody;
            500: ErrorBody;
            502: ErrorBody;
            503: ErrorBody;
            504: ErrorBody;
        };
    };
    /** POST /api/{path}: Pass a request on to an API of API_ROUTES, with the access token */
    postApi: {
        answers: {
            400: ErrorBody;
            401: ErrorBody;
            403: ErrorBody;
            404: ErrorBody;
            405: ErrorBody;
            500: ErrorBody;
            502: ErrorBody;
            503: ErrorBody;
            504: ErrorBody;
        };
    };
    /** PUT /api/{path}: Pass a request on to an API of API_ROUTES, with the access token */
    putApi: {
        answers: {
            400: ErrorBody;
            401: ErrorBody;
            403: ErrorBody;
            404: ErrorBody;
            405: ErrorBody;
            500: ErrorBody;
            502: ErrorBody;
            503: ErrorBody;
            504: ErrorBody;
        };
    };
    /** PATCH /api/{path}: Pass a request on to an API of API_ROUTES, with the access token */
    patchApi: {
        answers: {
            400: ErrorBody;
            401: ErrorBody;
            403: ErrorBody;
            404: ErrorBody;
            405: ErrorBody;
            500: ErrorBody;
            502: ErrorBody;
            503: ErrorBody;
            504: ErrorBody;
        };
    };
    /** DELETE /api/{path}: Pass a request on to an API of API_ROUTES, with the access token */
    deleteApi: {
        answers: {
            400: ErrorBody;
            401: ErrorBody;
            403: ErrorBody;
            404: ErrorBody;
            405: ErrorBody;
            500: ErrorBody;
            502: ErrorBody;
            503: ErrorBody;
            504: ErrorBody;
        };
    };
}
