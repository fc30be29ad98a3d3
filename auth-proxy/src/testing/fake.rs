//! The fake upstream as tests use it: its address, the requests that it received, and its current fault.

use std::sync::Arc;
use std::{fmt, io};

use super::better_auth;
use super::fault::Fault;
use super::port::Port;
use super::state::{Fake, SeenRequest};

/// An Auth.js server to test against, with a credentials provider, on a port of its own.
///
/// Answers `providers`, `csrf`, `signin`, `callback/credentials`, `session` and `signout` as `@auth/core` does,
/// cookies and tokens included, and everything else with 400. Unless the builder is given users, there is one:
/// `demo` with the password `demo`. [`FakeUpstreamBuilder`](super::FakeUpstreamBuilder) makes it another server: next-auth 4,
/// Robo.js or Better Auth. [`set_fault`](Self::set_fault) makes it fail in each of the ways of
/// [`Fault`]. It stops when it is dropped.
///
/// ```
/// use auth_proxy::{auth_proxy, testing::FakeUpstream};
///
/// auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let upstream = FakeUpstream::start().await?;
/// let auth = Auth::builder().upstream_base_url(upstream.url()).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FakeUpstream {
    fake: Arc<Fake>,
    url: String,
    port: Port,
}

impl FakeUpstream {
    pub(super) fn new(fake: Arc<Fake>, port: Port) -> Self {
        Self { fake, url: format!("http://{}", port.address()), port }
    }

    /// Its address, such as `http://127.0.0.1:49152`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The secret that it encrypts tokens with.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.fake.settings.secret
    }

    pub(super) fn fake(&self) -> &Arc<Fake> {
        &self.fake
    }

    /// Every request so far, oldest first.
    #[must_use]
    pub fn seen(&self) -> Vec<SeenRequest> {
        self.fake.memory().seen.clone()
    }

    /// How many requests for `/session` it received; of Better Auth, for `/get-session`.
    #[must_use]
    pub fn lookups(&self) -> usize {
        let settings = &self.fake.settings;
        let path = if settings.is_better_auth() { better_auth::SESSION } else { "/session" };
        let session = format!("{}{path}", settings.base_path);
        self.fake.memory().seen.iter().filter(|seen| seen.uri.path() == session).count()
    }

    /// Drops the recorded requests. Long test runs use it to bound memory.
    pub fn forget_seen(&self) {
        self.fake.memory().seen = Vec::new();
    }

    /// Sets the fault of every further request. `None` ends the current fault.
    ///
    /// Open connections are cut, as by a restart, so that each request meets the new state. When this returns, the
    /// change is complete.
    ///
    /// # Errors
    /// When another process has taken the port since [`Fault::Refused`] was set.
    pub async fn set_fault(&self, fault: Option<Fault>) -> io::Result<()> {
        self.port.set_fault(fault).await
    }

    /// The number of open connections, idle ones included.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.port.open_connections()
    }
}

impl fmt::Debug for FakeUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeUpstream").field("url", &self.url).finish_non_exhaustive()
    }
}
