//! Cached sessions and sign-outs that several instances of an app share over Redis.
//!
//! This crate is a part of [axum-auth-proxy](https://docs.rs/axum-auth-proxy), which seals the values before they are
//! stored. Any release may change it.
//!
//! - A value is stored only with a [`Ticket`] that was taken before the value was looked up. The end of a session ends its
//!   tickets, so a lookup that was under way cannot store the session again.
//! - An end returns when all instances have forgotten the session. Each instance sends a beat every 250 ms over its own
//!   connection. An instance whose beat does not come back for a second trusts nothing, and the others know that.
//! - A store without a link answers at once with [`StoreError::Down`]. It never waits for a connection.
//!
//! Redis 6 or newer is needed, or Valkey.

mod acks;
mod connect;
mod ending;
mod error;
mod event;
mod inner;
mod link;
mod message;
mod names;
mod options;
mod pending;
mod record;
mod store;
mod task;
mod url;
mod wire;

pub use crate::error::{InvalidUrl, StoreError};
pub use crate::event::Event;
pub use crate::options::Options;
pub use crate::store::{Read, RedisStore, Ticket, Value};

/// The key of a session. It must not tell the token: use a hash of it.
pub type Key = [u8; 32];
