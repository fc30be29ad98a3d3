//! Cached sessions and sign-outs that several instances of an app share over Redis.
//!
//! This crate is a part of [axum-auth-proxy](https://docs.rs/axum-auth-proxy), which seals the values before they are
//! stored. Any release may change it.
//!
//! - A value is stored only with a [`Ticket`] that was taken before the value was looked up. The end of a session ends its
//!   tickets, so a lookup that was under way cannot store the session again.
//! - An end returns when all instances have forgotten the session. Each instance sends a beat every 250 ms over its own
//!   connection. An instance whose beat does not come back for a second trusts nothing, and the others know that.
//! - A new link is not used for a grace period of 5 s ([`Options::grace`]), in which the other instances reconnect and tell
//!   what was ended there meanwhile. For the notes, it is not needed while another instance is connected that knows them all.
//! - A [`Note`] is an entry of a list that all instances know and keep in their memory, such as a revoked token. A note is
//!   told like an end. A new link reads the whole list. Then it gives back what Redis has lost: see
//!   [`RedisStore::with_notes`].
//! - A store without a link answers at once with [`StoreError::Down`]. It never waits for a connection.
//!
//! | call | scripts | bytes to Redis | bytes from Redis |
//! |---|---|---|---|
//! | [`get`](RedisStore::get) without a value | 1 | 190 | 55 |
//! | `get` of a value of 500 bytes | 1 | 190 | 560 |
//! | [`put`](RedisStore::put) of a value of 500 bytes | 1 | 710 | 4 |
//! | [`end`](RedisStore::end) of one key, with one instance | 2, and one message | 490 | 240 |
//! | [`note`](RedisStore::note) of 34 bytes, with one instance | 1, and one message | 390 | 250 |
//! | each note of 34 bytes, when an instance connects | 1 for 500 notes | 0 | 46 |
//! | [`count`](RedisStore::count) | 1 | 170 | 30 |
//! | the beats of an instance, each second | 4 | 1,180 | 490 |
//!
//! With more instances, an `end` or a `note` sends one message to each and gets one back from each.
//!
//! A caller that keeps values in its own memory must compare: if an [`Event::Ended`] or [`Event::Lost`] came between the
//! start of a `get` and its answer, the answer may be older than the event.
//!
//! Redis 6 or newer is needed, or Valkey. With sentinels, a link is trusted for a second after more than half of the sentinels
//! in the URL named its server as the primary: so name all of them, each by an address of its own. They are asked every 250
//! ms. With replicas, also set `min-replicas-to-write 1`: a primary that is cut off from the others then refuses writes, and
//! its instances lose their link.

mod acks;
mod connect;
mod ending;
mod error;
mod event;
mod inner;
mod key;
mod link;
mod message;
mod names;
mod note;
mod noting;
mod options;
mod pending;
mod record;
mod sentinels;
mod store;
mod task;
mod telling;
mod url;
mod wire;

pub use crate::error::{InvalidUrl, StoreError};
pub use crate::event::Event;
pub use crate::key::Key;
pub use crate::note::Note;
pub use crate::options::Options;
pub use crate::store::{Read, RedisStore, Ticket, Value};
