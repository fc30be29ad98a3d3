//! Audit events: who signed in and out, what was refused and revoked, and when the upstream and the store were lost. They
//! go to the app's [`Observer`], in a thread of their own. [`guide::audit`](crate::guide::audit) lists them.
//!
//! What has a metric too is reported by one call, so that the counter and the event cannot differ. An event has no token,
//! cookie or secret, and no name or mail address of a user. Without an observer, no event is made.
//!
//! It decides nothing: the other rooms work the same without it.
//!
//! Imports the rooms: `error`, `telemetry`.
//! Does without the crates: `axum`, `hyper`, `jsonwebtoken`, `tower`.

mod delivery;
mod event;
mod observer;
mod queue;
mod report;

pub use self::event::{Event, EventKind, LimitedBy, RevokedBy, RevokedWhat, SessionHash, SignedInBy};
pub(crate) use self::observer::BoxObserver;
pub use self::observer::Observer;
pub(crate) use self::report::{About, Audit};
