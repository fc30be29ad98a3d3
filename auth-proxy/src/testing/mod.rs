//! Tools for the tests of an app (feature `testing`): sessions and tokens made by hand, and a fake upstream:
//! Auth.js, next-auth 4, Robo.js or Better Auth.
//! Enable the feature for the dev-dependency only.
//!
//! A handler or a policy is a function. Call it with [`session`], [`token`] and [`require_session`].
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
//! A whole app answers a request of a visitor who is signed in by [`sign_in_as`](crate::Proxy::sign_in_as), without a
//! socket: see [`TestVisitor`].
//!
//! To test the sign-in itself, run the app in front of a [`FakeUpstream`], over a real socket. A visitor signs in there, or
//! sends its [`cookie`](FakeUpstream::cookie).
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
//!
//! The fake encrypts and reads tokens with this crate's own code. A test against it therefore cannot show that tokens
//! are compatible with Auth.js: an error made on both sides would cancel out. The conformance suite of this project
//! shows that, with tokens of the real `@auth/core` and `next-auth` and with a real server.
//!
//! # For maintainers
//!
//! No other module may import this one, and an app that does not enable the feature must not need it. All files of the
//! fake share `state`; `dispatch`, `routes`, `robo` and `better_auth` respond to requests; `script` and `raw` send the faulty
//! responses; `fake` and `builder` are the public types.
//!
//! Imports the rooms: `config`, `cookie`, `dialect`, `error`, `extract`, `guard`, `provider`, `session`, `token`, `upstream`.
//! Does without the crates: `jsonwebtoken`, `quick_cache`, `reqwest`, `rustls`, `tower`.

mod account;
mod answer;
mod assertions;
mod bare_client;
mod better_auth;
mod bodies;
mod builder;
mod cookie_cache;
mod cookies;
mod direct;
mod dispatch;
mod fake;
mod fault;
mod issue;
mod mint;
mod pages;
mod port;
mod raw;
mod request;
mod robo;
mod routes;
mod script;
mod session_json;
mod sign_in;
mod signup;
mod state;

pub use self::assertions::{assert_outcome, assert_signed_in};
#[doc(hidden)]
pub use self::bare_client::BareClient;
pub use self::better_auth::Visitor;
pub use self::builder::FakeUpstreamBuilder;
pub use self::cookie_cache::{CookieCacheOpener, mint_cookie_cache, mint_signed_cookie};
pub use self::direct::{require_session, session, session_of, stale, token};
pub use self::fake::FakeUpstream;
pub use self::fault::Fault;
pub use self::mint::{Opener, mint, mint_v4};
pub use self::sign_in::{Invalid, TestVisitor};
pub use self::state::SeenRequest;
