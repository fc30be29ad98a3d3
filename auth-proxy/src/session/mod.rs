//! Who is signed in: asks the upstream's `/session` or reads a decoded token, and gives it the
//! app's type. Builds no HTTP request by hand (that is `upstream`) and decrypts nothing (`token`).

mod cache;
mod data;
pub(crate) mod extract;
mod local;
mod lookup;
mod memo;
mod relay;
mod typed;
mod wire;

pub use self::cache::{CachedSession, SessionKey, SessionStore, StoreFuture};
pub(crate) use self::cache::{Eviction, Sessions};
pub use self::data::{SessionData, User};
pub use self::extract::Session;
pub(crate) use self::local::NamedClaims;
pub use self::local::{DefaultMapping, SessionMapping};
pub(crate) use self::lookup::judged;
pub(crate) use self::memo::Visit;
pub use self::relay::{RelayLayer, RelayService};
pub(crate) use self::typed::fit;
