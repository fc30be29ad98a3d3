//! Who may pass: the guard as an extractor argument and as a layer, policies, and the answer to
//! those who may not: 401, 403, or the way to the sign-in page. And which pages may write.

mod cross_origin;
mod extract;
mod layer;
mod policy;
mod redirect;
mod rejection;

pub use self::cross_origin::{CrossOriginProtection, CrossOriginService};
pub use self::extract::RequireSession;
pub use self::layer::{RequireLayer, RequireService};
pub use self::policy::{AnySession, Policy};
pub use self::rejection::GuardRejection;
