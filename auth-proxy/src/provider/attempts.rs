//! Counts attempts to sign in: in the store that instances share, and in this process.

use std::time::Duration;

use super::Shared;
use crate::attempts::Counted;
use crate::audit::LimitedBy;

impl Shared {
    /// Counts an attempt to sign in, in windows of the length `per`: in the store and in this process. The larger count
    /// decides, because a store can lose its counters (a restart, full memory), or fail.
    pub(crate) async fn count_attempt(&self, by: LimitedBy, name: &[u8], per: Duration) -> Counted {
        let (attempts, domain) = match by {
            LimitedBy::Address => (&self.attempts.of_addresses, "attempts of an address"),
            LimitedBy::Account => (&self.attempts.of_accounts, "attempts for an account"),
        };
        let key = self.keys.attempts(domain, name);
        let own = attempts.count(&key, per);
        match self.sessions.count(key, per).await {
            Some(shared) if shared.count >= own.count => shared,
            _ => own,
        }
    }
}
