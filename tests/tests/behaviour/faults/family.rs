//! The configurations of the fault tests: the server that the fake imitates, and where the app finds a session.

use std::time::Duration;

use auth_proxy::options::{Builder, TokenFormat, UpstreamKind};
use auth_proxy::testing::{FakeUpstream, FakeUpstreamBuilder, Fault, mint};
use serde_json::{Value, json};

use crate::support::{Auth, is_robo, users};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Auth.js or, by `FAKE_UPSTREAM`, Robo.js. The app asks it for each session.
    Authjs,
    /// Better Auth. The app asks it for each session.
    BetterAuth,
    /// Better Auth with the cookie cache. The app can open the cache, but the time of the visitor's is over.
    BetterAuthExpiredCache,
    /// Better Auth with the cookie cache. The app opens it, and asks for no session.
    BetterAuthCache,
}

impl Family {
    pub(super) fn is_better_auth(self) -> bool {
        self != Self::Authjs
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Authjs if is_robo() => "faults-robo",
            Self::Authjs => "faults",
            Self::BetterAuth => "faults-better-auth",
            Self::BetterAuthExpiredCache => "faults-better-auth-expired-cache",
            Self::BetterAuthCache => "faults-better-auth-cache",
        }
    }

    /// The faults of this family's matrix.
    pub(super) fn has(self, fault: Fault) -> bool {
        // Better Auth answers `null` only if there is no session, and 500 if it does not know (`Fault::DatabaseDown`).
        // An object without a user is `null` too: the plugin `customSession` may answer that.
        !(self.is_better_auth() && matches!(fault, Fault::Undecided | Fault::EmptyObject))
    }

    pub(super) fn upstream(self) -> FakeUpstreamBuilder {
        let better_auth = || FakeUpstream::builder().better_auth().trusted_origins(["http://127.0.0.1:*"]);
        match self {
            Self::Authjs => users(FakeUpstream::builder()),
            Self::BetterAuth => better_auth(),
            Self::BetterAuthExpiredCache | Self::BetterAuthCache => {
                better_auth().cookie_cache(TokenFormat::Compact, Duration::from_secs(300))
            }
        }
    }

    pub(super) fn app(self, upstream: &FakeUpstream) -> Builder<Auth> {
        let builder = Auth::builder().upstream_base_url(upstream.url());
        match self {
            Self::Authjs => builder,
            Self::BetterAuth => builder.upstream_kind(UpstreamKind::BetterAuth),
            Self::BetterAuthExpiredCache | Self::BetterAuthCache => {
                builder.upstream_kind(UpstreamKind::BetterAuth).upstream_secret([upstream.secret()])
            }
        }
    }

    /// The cookies of a new session of the user `Demo`.
    pub(super) fn cookie(self, upstream: &FakeUpstream) -> String {
        match self {
            Self::Authjs => token_cookie(upstream.secret()),
            Self::BetterAuth | Self::BetterAuthCache => upstream.visitor(&demo()).cookie(),
            Self::BetterAuthExpiredCache => upstream.visitor(&demo()).with_expired_session_data().cookie(),
        }
    }

    /// The cookies of a session that the upstream refuses.
    pub(super) fn refused_cookie(self, upstream: &FakeUpstream) -> String {
        if self == Self::Authjs {
            return token_cookie("another secret");
        }
        let visitor = upstream.visitor(&demo());
        visitor.revoke();
        visitor.without_session_data().cookie()
    }
}

fn demo() -> Value {
    json!({ "sub": "1", "name": "Demo", "email": "demo@example.com" })
}

/// The session cookie of Auth.js with a token under this secret.
fn token_cookie(secret: &str) -> String {
    format!("authjs.session-token={}", mint(&demo(), secret, "authjs.session-token"))
}
