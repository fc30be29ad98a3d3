//! The public keys that an issuer publishes: fetches them, keeps them, and verifies tokens with them.
//!
//! The keys are fetched again before they are too old, and when a token names an unknown key. All requests share one
//! fetch. Reading a key set and verifying a signature are in `token`.
//!
//! Imports the rooms: `cookie`, `error`, `telemetry`, `token`, `upstream`.
//! Does without the crates: `axum`, `aws_lc_rs`, `hyper`, `jsonwebtoken`, `tower`.

mod fetch;
mod issuer;
mod schedule;
mod source;

pub(crate) use self::issuer::{CheckFailed, Issuer, KeysState};
pub(crate) use self::source::KeySource;
