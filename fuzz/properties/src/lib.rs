//! Properties that must hold for every fuzz input, with one function for each fuzz target. The functions use the public
//! API where possible, so that all layers below it are tested.

mod claims;
mod cookie_cache;
mod cookies;
mod input;
mod key_set;
mod macros;
mod request;
mod response;
mod session;
mod token;
mod world;

pub use self::claims::claims;
pub use self::cookie_cache::cookie_cache;
pub use self::cookies::cookies;
pub use self::key_set::key_set;
pub use self::macros::{config, guard};
pub use self::request::request;
pub use self::response::response;
pub use self::session::session;
pub use self::token::token;

/// A function that panics if the property does not hold for the input.
pub type Property = fn(&[u8]);

/// All properties, with the names of their targets.
pub const ALL: [(&str, Property); 10] = [
    ("claims", claims),
    ("config", config),
    ("cookie_cache", cookie_cache),
    ("cookies", cookies),
    ("guard", guard),
    ("key_set", key_set),
    ("request", request),
    ("response", response),
    ("session", session),
    ("token", token),
];
