//! One connection pool for each thread that runs a runtime of its own, and one for all other runtimes.
//!
//! A connection is registered with the runtime that opened it. Another runtime may use it, but is then woken through the
//! thread of the first one, for each read. The threads of a multi-thread runtime share one driver, so they share a pool:
//! a request then finds an idle connection whichever thread it runs on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::runtime::{Handle, RuntimeFlavor};

use super::pool::Pool;

/// The most pools of threads. Further threads share them, which is slower and not wrong.
const MOST: usize = 64;

/// The pools of one client.
pub(super) struct Pools {
    shared: Arc<Pool>,
    /// By the number of the thread.
    of_threads: Box<[OnceLock<Arc<Pool>>]>,
}

impl Default for Pools {
    fn default() -> Self {
        Self { shared: Arc::default(), of_threads: (0..MOST).map(|_| OnceLock::new()).collect() }
    }
}

impl Pools {
    /// The pool for a request that runs now, on this thread.
    pub(super) fn current(&self) -> &Arc<Pool> {
        let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
        match flavor {
            Ok(RuntimeFlavor::CurrentThread) => match self.of_threads.get(number_of_thread() % MOST) {
                Some(pool) => pool.get_or_init(Arc::default),
                None => &self.shared,
            },
            _ => &self.shared,
        }
    }
}

/// The number of this thread: the n-th that asked for one.
fn number_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    // A thread that ends has no number any more.
    NUMBER.try_with(|number| *number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current_thread() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn runtime_of_one_thread_has_its_own_pool() {
        let pools = Arc::new(Pools::default());
        let own = || {
            let pools = Arc::clone(&pools);
            std::thread::spawn(move || current_thread().block_on(async { Arc::clone(pools.current()) }))
                .join()
                .unwrap()
        };
        let (one, other) = (own(), own());
        assert!(!Arc::ptr_eq(&one, &other));
        assert!(!Arc::ptr_eq(&one, &pools.shared));
        let here = current_thread().block_on(async { Arc::clone(pools.current()) });
        assert!(Arc::ptr_eq(&here, &current_thread().block_on(async { Arc::clone(pools.current()) })));
    }

    #[test]
    fn threads_of_one_runtime_share_a_pool() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let pools = Arc::new(Pools::default());
        for _ in 0..8 {
            let pools = Arc::clone(&pools);
            let is_shared = async move { Arc::ptr_eq(pools.current(), &pools.shared) };
            assert!(runtime.block_on(runtime.spawn(is_shared)).unwrap());
        }
    }
}
