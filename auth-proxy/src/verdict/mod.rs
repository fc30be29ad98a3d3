//! The verdict endpoint: a reverse proxy in front of any service asks it about each request, and forwards only those that may
//! pass. [`Proxy::verdict`](crate::Proxy::verdict) makes it.
//!
//! | answer | when |
//! |---|---|
//! | 200 with the [identity headers](IdentityHeader) | the visitor is signed in |
//! | 401 `application/problem+json`, or 303 to the sign-in page for a browser that loads a page | the visitor is signed out |
//! | 403 | a rule refuses the visitor, or the peer that asks is no trusted proxy |
//! | 502 to 504 with `Retry-After` | the upstream is unavailable, so it is not known whether the visitor is signed in |
//! | 400 | the proxy does not say clearly which request it asks about, or [rules](PathRules) differ for readings of its path |
//!
//! nginx understands only 2xx, 401 and 403. To a question with `X-Original-URI`, the address of the sign-in page is in
//! `X-Auth-Redirect` of a 401. Up to four renewed cookies are in `X-Set-Cookie-1` to `-4` too, for nginx and Caddy, which cannot
//! pass on several `Set-Cookie`. [The guide](crate::guide::reverse_proxies) has a recipe for each proxy.
//!
//! The headers of a question are those of the request that it is about, as the proxies send them. Which request it is, and
//! its host and scheme, is believed only from a peer in `trusted_proxies`.
//!
//! # For maintainers
//!
//! `endpoint` reads a question, `decide` has the guard decide, and `answer` writes the answer in the form that the proxy
//! understands. Nothing here reads credentials, and nothing is forwarded.
//!
//! Imports the rooms: `config`, `cross_origin`, `error`, `forwarded`, `guard`, `path`, `provider`, `token`, `warnings`.
//! Does without the crates: `aws_lc_rs`, `hyper`, `tokio`.

mod answer;
mod builder;
mod decide;
mod encode;
mod endpoint;
mod headers;
mod identity;
mod reading;
mod rules;
mod token;

pub use self::builder::Verdict;
pub use self::headers::{IdentityHeader, remove_identity_headers};
pub use self::identity::Identity;
pub use self::rules::{PathRules, Requirement};
pub use self::token::IdentityToken;
pub use crate::token::SigningKey;
