//! A fake Auth.js upstream and freshly minted tokens, for tests and for trying things out (feature
//! `testing`).
//!
//! ```
//! # use auth_proxy::auth_proxy;
//! use auth_proxy::testing::{FakeUpstream, mint};
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
//! let auth = Auth::builder().base_url(upstream.url()).secrets([upstream.secret()]).build()?;
//!
//! let token = mint(&json!({ "sub": "1", "name": "Ada" }), upstream.secret(), "authjs.session-token");
//! let mut headers = HeaderMap::new();
//! headers.insert(COOKIE, format!("authjs.session-token={token}").parse()?);
//! let session = auth.session(&headers).await?.expect("the token is good");
//! assert_eq!(session.user.name.as_deref(), Some("Ada"));
//! # Ok(())
//! # }
//! ```

mod answer;
mod bodies;
mod cookies;
mod fake;
mod fault;
mod mint;
mod pages;
mod port;
mod raw;
mod robo;
mod routes;
mod script;
mod shown;
mod signup;

pub use self::fake::{FakeUpstream, FakeUpstreamBuilder, SeenRequest};
pub use self::fault::Fault;
pub use self::mint::{Opener, mint, mint_v4};
