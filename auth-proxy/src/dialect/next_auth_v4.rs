//! next-auth v4, the predecessor of Auth.js.

use super::route::Route;
use super::session::RawSession;
use super::software::Software;
use super::token_key::TokenKeySource;

/// Without a prefix.
pub(super) const COOKIE: &str = auth_proxy_rules::NEXT_AUTH_V4_COOKIE;

/// The variable with its secret.
pub(super) const SECRET: &str = "NEXTAUTH_SECRET";

/// Where next-auth's browser code posts its errors (`docs/authjs.md#routes-v4-log`).
const LOG: &str = "_log";

/// The known route at the segments of a path, in addition to those of Auth.js.
pub(super) fn route(segments: &[&str]) -> Option<Route> {
    Some(match segments {
        // It accepts the error as a path segment too.
        ["error", _] => Route::READ,
        [LOG] => Route::POST,
        _ => return None,
    })
}

/// The part of a decoded path that decides what a request does: the action, and the provider of a sign-in or a callback. It
/// ignores further segments (`next-auth/src/next/index.ts`: `nextauth[0]`, `nextauth[1]`).
pub(super) fn part_it_reads(path: &str) -> &str {
    let action = path.split('/').nth(1).unwrap_or_default();
    let has_provider = ["signin", "callback"].iter().any(|name| action.eq_ignore_ascii_case(name));
    let mut ends = path.match_indices('/').map(|(at, _)| at).skip(1);
    ends.nth(usize::from(has_provider)).and_then(|end| path.get(..end)).unwrap_or(path)
}

/// Whether a POST to this path changes nothing.
pub(super) fn changes_nothing(name: &str) -> bool {
    name.strip_prefix('/') == Some(LOG)
}

/// The salt is empty (`docs/authjs.md#token-v4`).
pub(super) fn token_key() -> TokenKeySource {
    TokenKeySource { salt: String::new(), info: "NextAuth.js Generated Encryption Key".to_owned() }
}

/// What to change, so that it builds its URLs with this app's origin.
pub(super) fn origin_setting(software: Software) -> &'static str {
    match software {
        Software::NextJs => {
            "set AUTH_TRUST_HOST=1 at the Next.js server and no NEXTAUTH_URL, or NEXTAUTH_URL to this app's origin; see \
             examples/nextjs/README.md of auth-proxy"
        }
        Software::Express | Software::Unknown => {
            "set AUTH_TRUST_HOST=1 at the upstream and no NEXTAUTH_URL, or NEXTAUTH_URL to this app's origin"
        }
    }
}

/// Whether the session is the state of an unfinished sign-in. Before 4.24.5 it is encrypted under the same key as
/// session tokens (GHSA-v64w-49xw-qq89, `docs/authjs.md#token-v4-state`), and shows as a session without user data.
pub(super) fn is_sign_in_state(session: &RawSession) -> bool {
    session.is_anonymous()
}
