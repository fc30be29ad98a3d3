//! Counts attempts in this process: how often something was tried in a window of time.
//!
//! It does not know how often something may be tried: its callers compare the count with their limit.
//!
//! Imports the rooms: none.
//! Does without the crates: `axum`, `http`, `hyper`, `jsonwebtoken`, `serde`, `tower`, `tracing`.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::time::Instant;

/// The most keys that are counted. Each takes about 150 bytes. Beyond that, the keys that were counted least recently are
/// forgotten.
const MOST: usize = 65_536;

/// The attempts with a key, and the rest of their window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// How many attempts there were in the window, with this one.
    pub(crate) count: u64,
    /// The time until the window ends.
    pub(crate) left: Duration,
}

/// The attempts of each key. A window begins with the first attempt, and ends a fixed time later: attempts in it do not
/// lengthen it. A token bucket would answer differently from the counter in a store that instances share, and the keyed
/// limiters of the crate `governor` keep every key.
pub(crate) struct Attempts(Cache<[u8; 32], Arc<Mutex<Window>>>);

struct Window {
    began: Instant,
    count: u64,
}

impl Default for Attempts {
    fn default() -> Self {
        Self(Cache::new(MOST))
    }
}

impl Attempts {
    /// Counts an attempt. Windows have the length `per`.
    pub(crate) fn count(&self, key: &[u8; 32], per: Duration) -> Counted {
        let now = Instant::now();
        let new = || Ok::<_, Infallible>(Arc::new(Mutex::new(Window { began: now, count: 0 })));
        let Ok(window) = self.0.get_or_insert_with(key, new);
        let mut window = window.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(window.began) >= per {
            *window = Window { began: now, count: 0 };
        }
        window.count = window.count.saturating_add(1);
        Counted { count: window.count, left: (window.began + per).saturating_duration_since(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn window_begins_with_the_first_attempt_and_is_not_lengthened() {
        let (attempts, key, other) = (Attempts::default(), [1; 32], [2; 32]);
        assert_eq!(attempts.count(&key, MINUTE), Counted { count: 1, left: MINUTE });
        tokio::time::advance(MINUTE * 3 / 4).await;
        assert_eq!(attempts.count(&key, MINUTE), Counted { count: 2, left: MINUTE / 4 });
        assert_eq!(attempts.count(&other, MINUTE).count, 1);
        tokio::time::advance(MINUTE / 4).await;
        assert_eq!(attempts.count(&key, MINUTE), Counted { count: 1, left: MINUTE });
    }

    #[test]
    fn attempts_of_many_threads_are_all_counted() {
        let attempts = Attempts::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        attempts.count(&[1; 32], MINUTE);
                    }
                });
            }
        });
        assert_eq!(attempts.count(&[1; 32], MINUTE).count, 4001);
    }

    #[test]
    fn flood_of_keys_does_not_grow_the_memory() {
        let attempts = Attempts::default();
        let key = |number: u32| {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            key
        };
        for number in 0..200_000 {
            attempts.count(&key(number), MINUTE);
        }
        assert!(attempts.0.len() <= MOST);
    }
}
