//! Counts attempts to sign in: in the store that instances share, and in this process.

use std::time::Duration;

use super::Shared;
use crate::attempts::Counted;
use crate::audit::LimitedBy;

impl Shared {
    /// Counts an attempt to sign in, in windows of the length `per`. If the store does not count, what this process has
    /// counted decides.
    pub(crate) async fn count_attempt(&self, by: LimitedBy, name: &[u8], per: Duration) -> Counted {
        let (attempts, domain) = match by {
            LimitedBy::Address => (&self.attempts.of_addresses, "attempts of an address"),
            LimitedBy::Account => (&self.attempts.of_accounts, "attempts for an account"),
        };
        let key = self.keys.attempts(domain, name);
        // Counted here too, so that the limit holds when the store is lost.
        let own = attempts.count(&key, per);
        self.sessions.count(key, per).await.unwrap_or(own)
    }
}
