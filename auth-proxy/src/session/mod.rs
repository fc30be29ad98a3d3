//! Sessions: reads the upstream's session responses, caches sessions, and ends them at a sign-out.
//!
//! It builds no request and decrypts no token.
//!
//! Imports the rooms: `attempts`, `audit`, `cookie`, `dialect`, `error`, `fingerprint`, `forwarded`, `json`, `revocation`, `telemetry`.
//! Does without the crates: `axum`, `hyper`, `jsonwebtoken`, `tower`.

mod answer;
mod cache;
mod cached;
mod data;
mod family;
mod key;
mod local;
pub(crate) mod mapping;
mod opened;
mod packed;
mod store;
pub(crate) mod wire;

pub(crate) use self::answer::{Answer, Found, LookedUp, Renewed};
pub(crate) use self::cache::Sessions;
pub(crate) use self::cached::CachedSession;
pub use self::data::{SessionData, User};
pub(crate) use self::family::{End, SessionSnapshot};
pub use self::key::SessionKey;
pub(crate) use self::key::{Keys, Sent};
pub(crate) use self::mapping::NamedClaims;
pub use self::mapping::{DefaultMapping, SessionMapping};
#[cfg(feature = "redis")]
pub use self::store::Redis;
pub(crate) use self::store::StoreState;
pub use self::store::{
    Count, Entry, NotConnected, Put, SessionStore, StoreFuture, StoreWatcher, Stored, Ticket,
};
pub(crate) use self::wire::SESSION_LIMIT;
