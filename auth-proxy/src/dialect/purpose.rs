//! [`Purpose`]: what a request to the sign-in routes does.

/// What a request to a sign-in route does. This decides about retries, evictions and the checks of the response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose {
    /// The path is `/session`: the request reads or updates the session.
    pub(crate) is_session: bool,
    /// The request changes nothing at the upstream, so it may be retried.
    pub(crate) is_read: bool,
    /// The request signs in or out, or changes the session or the account, so its cached sessions are evicted.
    pub(crate) evicts_sessions: bool,
    /// The request tries to sign in, to register, to reset a password, or to have a mail sent.
    pub(crate) is_sign_in: bool,
    /// The request gives the browser another session without a sign-in: an earlier one of the visitor, or that of a user whom
    /// an admin impersonates.
    pub(crate) switches_session: bool,
    /// The path is the callback of a provider that may have sent a mail. With a `token` in the query, a request with any method
    /// tries to sign in (`@auth/core/lib/actions/callback/index.ts` reads `query.token` and `query.email`).
    pub(crate) is_callback: bool,
    /// The response is the same for every visitor, so shared caches may keep it.
    pub(crate) is_same_for_all: bool,
    /// Set if the response contains URLs with the upstream's own origin.
    pub(crate) page: Option<Page>,
}

/// A response that contains URLs with the upstream's own origin.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Page {
    Providers,
    SignIn,
}

impl Purpose {
    /// Whether the request only reads the session. Every response then renews the cookie without changing the session.
    pub(crate) fn renews(&self) -> bool {
        self.is_session && self.is_read
    }

    /// Whether the response can start, renew or end a session.
    pub(crate) fn concerns_sessions(&self) -> bool {
        !self.is_read || self.is_session
    }
}
