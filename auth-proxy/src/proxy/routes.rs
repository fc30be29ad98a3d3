//! The table of sign-in routes and their methods.

use http::Method;

/// A route of Auth.js (`docs/authjs.md#routes`) or of Robo's email and
/// password additions (`docs/authjs.md#routes-robo-email`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// The methods, as `Allow` lists them.
    pub(super) allow: &'static str,
    /// Whether HEAD may be answered by a GET to the upstream. Not for callbacks and links in mails: that would use up
    /// their one-time token.
    pub(super) head: bool,
}

impl Route {
    /// Whether the upstream accepts this method here. HEAD never counts: see [`Self::head`].
    pub(super) fn allows(self, method: &Method) -> bool {
        *method != Method::HEAD && self.allow.split(", ").any(|allowed| allowed == method.as_str())
    }
}

const READ: Route = Route { allow: "GET, HEAD", head: true };
const READ_OR_POST: Route = Route { allow: "GET, HEAD, POST", head: true };
const GET: Route = Route { allow: "GET", head: false };
const POST: Route = Route { allow: "POST", head: false };
const GET_OR_POST: Route = Route { allow: "GET, POST", head: false };
const POST_OR_OPTIONS: Route = Route { allow: "POST, OPTIONS", head: false };

/// The known route at a path below the base path (empty, or beginning with `/`). Auth.js ignores a trailing slash, so
/// it is removed first.
#[expect(clippy::match_same_arms, reason = "a table: a row for each route")]
pub(super) fn find(rest: &str) -> Option<Route> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let mut segments = rest.strip_prefix('/')?.split('/');
    let (first, second, third) = (segments.next()?, segments.next(), segments.next());
    Some(match (first, second, third) {
        ("providers" | "csrf" | "verify-request" | "verify-email", None, None) => READ,
        ("session" | "signin" | "signout", None, None) => READ_OR_POST,
        // A link to a provider: Auth.js answers with an error page, next-auth v4 with its sign-in page.
        ("signin", Some(_), None) => GET_OR_POST,
        ("callback", Some(_), None) => GET_OR_POST,
        // next-auth v4 accepts the error as a path segment too.
        ("error", _, None) => READ,
        ("webauthn-options", _, None) => GET,
        // next-auth v4's log of browser errors (`docs/authjs.md#routes-v4-log`).
        ("_log", None, None) => POST,
        ("signup", None, None) => POST_OR_OPTIONS,
        ("verify-email", Some("request"), None) => POST,
        ("verify-email", Some("confirm"), None) => GET,
        ("password", Some("reset"), Some("request")) if segments.next().is_none() => POST,
        ("password", Some("reset"), Some("confirm")) if segments.next().is_none() => GET_OR_POST,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn route_table_knows_the_methods_of_each_route() {
        for (path, allow) in [
            ("/providers", "GET, HEAD"),
            ("/session", "GET, HEAD, POST"),
            ("/session/", "GET, HEAD, POST"),
            ("/csrf", "GET, HEAD"),
            ("/signin", "GET, HEAD, POST"),
            ("/signin/github", "GET, POST"),
            ("/signout", "GET, HEAD, POST"),
            ("/callback/github", "GET, POST"),
            ("/verify-request", "GET, HEAD"),
            ("/error", "GET, HEAD"),
            ("/webauthn-options", "GET"),
            ("/webauthn-options/passkey", "GET"),
            ("/_log", "POST"),
            ("/error/x", "GET, HEAD"),
            ("/signup", "POST, OPTIONS"),
            ("/verify-email", "GET, HEAD"),
            ("/verify-email/request", "POST"),
            ("/verify-email/confirm", "GET"),
            ("/password/reset/request", "POST"),
            ("/password/reset/confirm", "GET, POST"),
        ] {
            assert_eq!(find(path).map(|route| route.allow), Some(allow), "{path}");
        }
        for path in [
            "",
            "/",
            "/sessions",
            "/session/x",
            "/callback",
            "/callback/a/b",
            "/signin/a/b",
            "/Session",
            "/password/reset",
            "/password/reset/request/x",
            "/providersx",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn routes_with_one_time_tokens_do_not_answer_head() {
        for path in ["/callback/email", "/verify-email/confirm", "/password/reset/confirm", "/signin/github"]
        {
            assert!(!find(path).unwrap().head, "{path}");
        }
        assert!(!READ.allows(&Method::HEAD) && READ.allows(&Method::GET) && !READ.allows(&Method::POST));
    }
}
