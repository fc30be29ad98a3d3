//! Revoked tokens: the list of them, and whether a token is on it.
//!
//! A token that is decoded here is good until its `exp`, whatever the upstream knows. The list ends such a token before
//! that. It is kept in the memory of each instance, so that a check costs no request. Stores carry its entries from one
//! instance to the others.
//!
//! It reads no token and asks no store.
//!
//! Imports the rooms: none.
//! Does without the crates: `axum`, `http`, `hyper`, `jsonwebtoken`, `serde`, `tower`.

mod entry;
mod identity;
mod list;
mod seen;
mod signature;

pub use self::entry::Revocation;
pub(crate) use self::identity::{Identity, NameHash};
pub(crate) use self::list::{Revocations, Standing};
pub(crate) use self::seen::{Handling, SeenMessages};
pub(crate) use self::signature::{BadSignature, Signature, WebhookKey, bytes_of_hex, is_recent};
