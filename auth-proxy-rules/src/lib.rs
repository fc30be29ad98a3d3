//! The option rules of [axum-auth-proxy](https://docs.rs/axum-auth-proxy), in one place.
//!
//! The `auth_proxy!` macro checks literals with these functions at compile time. `from_env()` and the builder check
//! everything else with the same functions at start. Nothing here reads the environment, does IO, or keeps a secret: a
//! secret is described ([`SecretInfo`]), never stored.
//!
//! This crate is an implementation detail of axum-auth-proxy. Any release may change it.

mod algorithms;
mod base_url;
mod choices;
mod claims;
mod cookie_names;
mod cross_checks;
mod draft;
mod effective;
mod fields;
mod group;
mod header;
mod host;
mod invalid_value;
mod lists;
mod option;
mod option_macro;
mod path;
mod path_pattern;
mod prefix;
mod problem;
mod rate;
mod rewriting;
mod rule;
mod secret;
mod setting;
mod settings;
mod shape;
mod socket;
mod store_url;
mod suggest;
mod suspicions;
mod units;
mod url;
mod words_or_text;

pub use ipnet::IpNet;

pub use crate::base_url::{BaseUrl, app_url, base_url};
pub use crate::choices::{
    AnswerSession, Kind, RevocationList, RevocationUnavailable, Routes, Source, StoreUnavailable, Strategy,
    TokenFormat, Unauthenticated,
};
pub use crate::cookie_names::{
    AUTHJS_COOKIE, BETTER_AUTH_COOKIE, Companion, CompanionRole, CookieNames, NEXT_AUTH_V4_COOKIE,
};
pub use crate::group::Group;
pub use crate::header::{cookie_name, header_name, header_value, is_credential, is_hop_by_hop};
pub use crate::host::{host, is_in_domain, is_internal_host, is_loopback_host};
pub use crate::invalid_value::InvalidValue;
pub use crate::option::{Draft, OptionKey, Settings};
pub use crate::path::{is_below, is_local, path};
pub use crate::path_pattern::{PathPattern, fold};
pub use crate::prefix::{lacks_security_prefix, security_prefix, without_security_prefix};
pub use crate::problem::{Place, Problem};
pub use crate::rate::Rate;
pub use crate::rewriting::Rewriting;
pub use crate::secret::{Pem, SecretInfo, versioned_secrets};
pub use crate::setting::Setting;
pub use crate::shape::Shape;
pub use crate::store_url::{STORE_SCHEMES, StoreUrl, has_password};
pub use crate::suggest::{edit_distance, nearest, snake_case};
pub use crate::suspicions::Suspicion;
pub use crate::units::{DURATION_UNITS, SIZE_UNITS, duration, size};
pub use crate::url::{Endpoint, Origin, endpoint, origin};
pub use crate::words_or_text::{CookieDomain, Expected, Host};
