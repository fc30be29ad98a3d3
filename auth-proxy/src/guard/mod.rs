//! Guards, which refuse requests without a session: the extractor, the layers, policies and rules, and the response to a
//! refused request (401, 403, or a redirect to the sign-in page).
//!
//! Imports the rooms: `cache_control`, `config`, `cookie`, `dialect`, `error`, `extract`, `forwarded`, `page`, `provider`, `session`, `token`, `warnings`.
//! Does without the crates: `aws_lc_rs`, `hyper`, `jsonwebtoken`, `tokio`.

mod answer;
pub(crate) mod attribute;
pub(crate) mod attribute_rule;
mod extract;
mod gate;
mod identity;
mod layer;
mod original_uri;
mod policy;
mod redirect;
mod rejection;
pub(crate) mod rule;
mod step_up_cookie;

pub use self::answer::{Answer, Axum, Grpc, RespondWith};
pub use self::extract::RequireSession;
pub use self::gate::Guests;
pub(crate) use self::identity::{VisitorIdentity, identify};
pub use self::layer::{RequireLayer, RequireService};
pub use self::policy::{AnySession, ByPolicy, Policy};
pub use self::rejection::GuardRejection;
