//! JSON from the upstream: reading it into the app's types, and repairing the lone surrogates that JavaScript writes.
//!
//! This module knows nothing of sessions or tokens: the caller passes the error for a mismatch.
//!
//! Imports the rooms: `error`.
//! Does without the crates: `axum`, `hyper`, `http`, `tokio`, `tower`.

mod surrogates;
mod typed;

pub(crate) use self::surrogates::replace_lone_surrogates;
pub(crate) use self::typed::deserialize_into;
