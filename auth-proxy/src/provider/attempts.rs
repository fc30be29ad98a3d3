//! Counts attempts to sign in: in the store that instances share, and in this process.

use std::sync::Arc;
use std::time::Duration;

use crate::attempts::{Attempts, Counted};
use crate::audit::LimitedBy;
use crate::session::{Keys, Sessions};

/// The attempts to sign in. A flood of addresses does not displace the accounts.
pub(crate) struct SignInAttempts {
    of_addresses: Attempts,
    of_accounts: Attempts,
    keys: Arc<Keys>,
    sessions: Arc<Sessions>,
}

impl SignInAttempts {
    pub(super) fn new(keys: Arc<Keys>, sessions: Arc<Sessions>) -> Self {
        Self { of_addresses: Attempts::default(), of_accounts: Attempts::default(), keys, sessions }
    }

    /// Counts an attempt to sign in, in windows of the length `per`: in the store and in this process. The larger count
    /// decides, because a store can lose its counters (a restart, full memory), or fail.
    pub(crate) async fn count(&self, by: LimitedBy, name: &[u8], per: Duration) -> Counted {
        let (attempts, domain) = match by {
            LimitedBy::Address => (&self.of_addresses, "attempts of an address"),
            LimitedBy::Account => (&self.of_accounts, "attempts for an account"),
        };
        let key = self.keys.attempts(domain, name);
        let own = attempts.count(&key, per);
        match self.sessions.count(key, per).await {
            Some(shared) if shared.count >= own.count => shared,
            _ => own,
        }
    }
}
