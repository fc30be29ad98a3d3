//! Forwards requests to an app behind this service: any path, with streamed bodies and WebSockets, and with headers that
//! tell the app who the visitor is.
//!
//! This room decides about no visitor: a guard stands in front of it, such as `verdict`. The sign-in routes are in `proxy`.
//!
//! Imports the rooms: `config`, `cookie`, `error`, `forwarded`, `provider`, `proxy`, `upstream`, `verdict`.
//! Does without the crates: `aws_lc_rs`, `jsonwebtoken`, `serde`, `serde_json`.

mod body;
mod builder;
mod destination;
mod forward;
mod request;
mod response;
mod service;
mod tunnel;
mod until;

pub use self::builder::ReverseProxyBuilder;
pub use self::service::ReverseProxy;
pub use self::until::Until;
