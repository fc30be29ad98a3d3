//! What tests of an app need (feature `testing`): sessions and tokens made by hand, a fake Auth.js upstream, and freshly
//! minted tokens. Give the feature to the dev-dependency only.
//!
//! A handler or a policy is a function: call it, with [`session`], [`token`] and [`require_session`].
//!
//! ```
//! use auth_proxy::{Session, User, auth_proxy, testing};
//!
//! auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
//!
//! async fn me(session: Session<Auth>) -> String { session.user.name.clone().unwrap_or_default() }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let ada = User { name: Some("Ada".into()), ..User::default() };
//! assert_eq!(me(testing::session(ada)).await, "Ada");
//! # }
//! ```
//!
//! A whole app is tested before a [`FakeUpstream`], over a real socket, with a visitor who signs in there or comes with
//! its [`cookie`](FakeUpstream::cookie).
//!
//! ```
//! # use auth_proxy::auth_proxy;
//! use auth_proxy::testing::FakeUpstream;
//! use http::{HeaderMap, header::COOKIE};
//! use serde_json::json;
//!
//! auth_proxy! {
//!     pub struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL"), secret: env("AUTH_SECRET") } }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let upstream = FakeUpstream::start().await?;
//! let auth = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]).build()?;
//!
//! let mut headers = HeaderMap::new();
//! headers.insert(COOKIE, upstream.cookie(&json!({ "sub": "1", "name": "Ada" })).parse()?);
//! let session = auth.session(&headers).await?.expect("the token is good");
//! assert_eq!(session.user.name.as_deref(), Some("Ada"));
//! # Ok(())
//! # }
//! ```

mod answer;
mod bodies;
mod cookies;
mod direct;
mod fake;
mod fault;
mod issue;
mod mint;
mod pages;
mod port;
mod raw;
mod robo;
mod routes;
mod script;
mod shown;
mod signup;

pub use self::direct::{require_session, session, session_of, stale, token};
pub use self::fake::{FakeUpstream, FakeUpstreamBuilder, SeenRequest};
pub use self::fault::Fault;
pub use self::mint::{Opener, mint, mint_v4};
