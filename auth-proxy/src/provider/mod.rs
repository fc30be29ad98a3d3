//! The handle behind every declared type: the trait that the macro implements, the builder, the state that all clones
//! share, and the extraction from a router's state.
//!
//! Imports the rooms: `attempts`, `audit`, `config`, `cookie`, `dialect`, `error`, `forwarded`, `jwks`, `page`, `revocation`, `session`, `telemetry`, `token`, `upstream`, `warnings`.
//! Does without the crates: `aws_lc_rs`, `hyper`, `jsonwebtoken`, `tokio`, `tower`.

mod about;
mod attempts;
mod back_channel;
mod builder;
mod credential;
mod handle;
mod revocation;
mod session_cookie;

pub use self::builder::Builder;
pub use self::handle::{AuthProxy, Declared, FromState, Proxy};
pub(crate) use self::handle::{Shared, TokenVerifier};
pub(crate) use self::revocation::Revoked;
