//! The session of a request: the extractors, the state that they share (`RequestAuth`), the lookup, and the layer that
//! relays renewed session cookies.
//!
//! Within one request, the credential is read, decoded and looked up at most once. Only this module does that.
//!
//! Imports the rooms: `audit`, `cache_control`, `config`, `cookie`, `dialect`, `error`, `forwarded`, `json`, `page`, `provider`, `revocation`, `session`, `telemetry`, `token`, `upstream`, `warnings`.
//! Does without the crates: `aws_lc_rs`, `hyper`, `jsonwebtoken`.

mod either;
mod ended;
mod from_request;
mod headers;
mod in_place;
mod lookup;
mod memo;
mod relay;
mod request;
mod session;
#[cfg(feature = "testing")]
mod test_visitor;
#[cfg(not(feature = "testing"))]
#[path = "no_test_visitor.rs"]
mod test_visitor;
mod token;

pub use self::either::{Either, Rejection};
pub use self::ended::SessionEnd;
pub(crate) use self::memo::{mark_personal, verified_for_guard};
pub(crate) use self::relay::answered;
pub use self::relay::{SessionCookieLayer, SessionCookieService};
pub(crate) use self::request::RequestAuth;
pub use self::session::Session;
pub(crate) use self::test_visitor::TestVisitors;
#[cfg(feature = "testing")]
pub(crate) use self::test_visitor::{Known, TestVisitor};
pub use self::token::{RawToken, Token};
