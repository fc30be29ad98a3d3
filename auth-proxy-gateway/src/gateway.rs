//! The proxy type of the gateway. Its options come from the configuration file alone.

use auth_proxy::auth_proxy;

auth_proxy! {
    /// The sign-in that the gateway shares with its app.
    pub(crate) struct Gateway {
        // Never read: the file sets the address, and its absence is one of the mistakes of the file.
        upstream: { base_url: env("AUTH_UPSTREAM_URL") },
    }
}
