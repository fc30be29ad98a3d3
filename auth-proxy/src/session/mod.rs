//! Who is signed in: asks the upstream's `/session` or reads a decoded token, and gives it the
//! app's type. Builds no HTTP request by hand (that is `upstream`) and decrypts nothing (`token`).

mod cache;
mod data;
pub(crate) mod extract;
mod lineage;
mod local;
mod lookup;
mod memo;
mod relay;
mod shared_caches;
mod typed;
mod wire;

pub use self::cache::{CachedSession, SessionKey, SessionStore, StoreFuture};
pub(crate) use self::cache::{Eviction, Keys, Sessions};
pub use self::data::{SessionData, User};
pub use self::extract::Session;
pub(crate) use self::local::NamedClaims;
pub use self::local::{DefaultMapping, SessionMapping};
pub(crate) use self::lookup::{SESSION_LIMIT, judged};
pub(crate) use self::memo::{Visit, note_asked};
pub use self::relay::{RelayLayer, RelayService};
pub use self::shared_caches::Cacheable;
pub(crate) use self::shared_caches::make_private;
pub(crate) use self::typed::fit;
