//! Probes: the questions that a check of the deployment asks an upstream, and what the answers show. Each family has its own.
//! None of them signs in, creates a user, sends a mail or ends a session.

mod authjs_family;
mod better_auth;
mod definition;
mod server;

use self::authjs_family::AuthjsProbes;
pub(crate) use self::better_auth::ALLOWED_HOSTS;
use self::better_auth::BetterAuthProbes;
pub(crate) use self::definition::{Probes, Question, SecretProbe, Seen, UNKNOWN};
pub(crate) use self::server::Server;
use crate::config::Kind;

/// The probes of every family, the expected one first.
pub(crate) fn families(kind: Option<Kind>) -> [&'static dyn Probes; 2] {
    match kind {
        Some(Kind::BetterAuth) => [&BetterAuthProbes, &AuthjsProbes],
        _ => [&AuthjsProbes, &BetterAuthProbes],
    }
}

/// What to change, if the body of a 500 says that the settings of the server are incomplete.
pub(crate) fn misconfigured(body: &[u8]) -> Option<&'static str> {
    authjs_family::misconfigured(body)
}

/// The paths below which servers have their routes by default or by custom.
pub(crate) const BASE_PATHS: [&str; 4] = ["/api/auth", "/auth", "/api/v1/auth", "/api"];
