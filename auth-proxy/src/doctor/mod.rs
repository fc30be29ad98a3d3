//! Checks a deployment before visitors do: [`Proxy::check`] asks the upstream, the store and the issuer of keys a few
//! harmless questions, and reports what is wrong and what to change. [`Proxy::health`] tells how they did so far, and asks
//! nothing.
//!
//! [`guide::doctor`](crate::guide::doctor) lists all codes, and shows how to require a check at the start, and how to answer
//! readiness and liveness probes.
//!
//! # For maintainers
//!
//! A check sends no request with anything of a client. It signs nobody in, creates no user, sends no mail and ends no
//! session: what a family is asked is in `dialect/probes`. A finding shows no secret, token, cookie value, header value or
//! body. Its texts say what to write. The result decides nothing here.
//!
//! Imports the rooms: `config`, `cookie`, `dialect`, `error`, `forwarded`, `jwks`, `provider`, `proxy`, `session`, `token`, `upstream`.
//! Does without the crates: `aws_lc_rs`, `hyper`, `jsonwebtoken`, `rustls`, `tower`.

mod address;
mod clock;
mod code;
mod cookies;
mod examination;
mod finding;
mod health;
mod issuer;
mod location;
mod origins;
mod report;
mod secrets;
mod sessions;
mod unanswered;
mod visit;

pub use self::code::{CODES, Code, Severity};
pub use self::finding::{Finding, Unchecked};
pub use self::health::{Health, KeysHealth, LastLookup, StoreHealth, UpstreamHealth};
pub use self::report::{CheckFailed, Deployment, Report};
use crate::provider::{AuthProxy, Proxy};

impl<P: AuthProxy> Proxy<P> {
    /// Checks this deployment: whether the upstream is reached and which server it is, the base path, the names of cookies,
    /// the secret, the URLs that the upstream builds, trusted origins, the clock, published keys and the shared store.
    ///
    /// It asks the upstream at most 13 questions, and at most 33 more to find a wrong address. A question is asked once more
    /// if the connection breaks before the answer. The requests have nothing of any client, and nobody is signed in or out.
    /// It ends within `upstream.timeout`. Findings are returned and not logged.
    ///
    /// ```no_run
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let auth = Auth::from_env()?;
    /// let report = auth.check().await;
    /// for finding in report.findings() {
    ///     eprintln!("{}: {}", finding.code(), finding.change());
    /// }
    /// report.into_result()?; // an error if there is a finding of severity `error`
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check(&self) -> Report {
        Box::pin(examination::examine(self.shared())).await
    }

    /// How the upstream, the store and the published keys did for the requests so far. It asks none of them.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// let auth = Auth::from_env()?;
    /// let health = auth.health();
    /// assert!(health.is_ready() && health.degraded().is_empty());
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn health(&self) -> Health {
        Health::of(self.shared())
    }
}
