//! JSON of the upstream: read into the app's types, with the lone surrogates that JavaScript writes.
//!
//! Imports the rooms: `error`.
//! Does without the crates: `axum`, `hyper`, `http`, `tokio`, `tower`.

mod surrogates;
mod typed;

pub(crate) use self::surrogates::replace_lone_surrogates;
pub(crate) use self::typed::deserialize_into;
