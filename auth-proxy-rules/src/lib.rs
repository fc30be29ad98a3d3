//! The option rules of [axum-auth-proxy](https://docs.rs/axum-auth-proxy), in one place.
//!
//! The `auth_proxy!` macro proves literals with these functions at compile time, and
//! `from_env()` and the builder check everything else with the same functions at start.
//! Nothing here reads the environment, does IO, or keeps a secret: a secret is described
//! ([`SecretInfo`]), never stored.
//!
//! This crate is an implementation detail of auth-proxy and follows no version promise of its own.

mod across;
mod bad;
mod choices;
mod claims;
mod draft;
mod header;
mod option;
mod path;
mod prefix;
mod secret;
mod settings;
mod suggest;
mod units;
mod url;

pub use bad::{Bad, Place, Problem};
pub use choices::{
    Choice, CookieDomain, Expected, Host, Kind, Routes, Source, Strategy, TokenFormat, Unauthenticated,
};
pub use draft::{Draft, Known};
pub use ipnet::IpNet;

pub use header::{cookie_name, header_name, header_value, is_hop_by_hop};
pub use option::{Group, Opt, Shape};
pub use path::{is_local, path};
pub use prefix::{is_lowered, lowered};
pub use secret::{Pem, SecretInfo};
pub use settings::{CookieNames, Rewriting, Settings};
pub use suggest::{nearest, snake_case};
pub use units::{duration, size};
pub use url::{BaseUrl, Origin, base_url, host, is_in_domain, is_internal_host, is_loopback_host, origin};
