//! One connection pool for each runtime that has one thread, and one for all other runtimes.
//!
//! A connection is registered with the runtime that opened it. Another runtime may use it, but is then woken through the
//! thread of the first one, for each read, and not at all while that thread runs something else. The threads of a
//! multi-thread runtime share one driver, which always runs, so they share a pool: a request then finds an idle connection
//! whichever thread it runs on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::{Handle, Id, RuntimeFlavor};

use super::pool::Pool;

/// How many places there are. With more threads, two cores may lock the same place, which is slower and not wrong.
const PLACES: usize = 64;

/// The most pools of a place. With more, the oldest is dropped, and its runtime opens connections again.
const MOST: usize = 8;

/// Pools, each with the runtime that opened its connections. The oldest is the first.
type Place = Mutex<Vec<(Id, Arc<Pool>)>>;

/// The pools of one client.
pub(super) struct Pools {
    shared: Arc<Pool>,
    /// By the number of the thread, so that few places are locked by two cores.
    of_threads: Box<[Place]>,
}

impl Default for Pools {
    fn default() -> Self {
        Self { shared: Arc::default(), of_threads: (0..PLACES).map(|_| Mutex::default()).collect() }
    }
}

impl Pools {
    /// The pool for a request that runs now, on this runtime.
    pub(super) fn current(&self) -> Arc<Pool> {
        Handle::try_current()
            .ok()
            .filter(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread)
            .and_then(|runtime| self.of_thread(runtime.id()))
            .unwrap_or_else(|| Arc::clone(&self.shared))
    }

    /// The pool of a runtime that runs on this thread.
    fn of_thread(&self, runtime: Id) -> Option<Arc<Pool>> {
        let mut place =
            self.of_threads.get(number_of_thread() % PLACES)?.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pool)) = place.iter().find(|(owner, _)| *owner == runtime) {
            return Some(Arc::clone(pool));
        }
        let pool = Arc::<Pool>::default();
        let unused = if place.len() == MOST { Some(place.remove(0)) } else { None };
        place.push((runtime, Arc::clone(&pool)));
        drop(place);
        // Closes connections.
        drop(unused);
        Some(pool)
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
            std::thread::spawn(move || current_thread().block_on(async { pools.current() })).join().unwrap()
        };
        let (one, other) = (own(), own());
        assert!(!Arc::ptr_eq(&one, &other));
        assert!(!Arc::ptr_eq(&one, &pools.shared));
    }

    /// The driver of a runtime that is not running reads nothing, so its connections would hang.
    #[test]
    fn two_runtimes_on_one_thread_have_a_pool_each() {
        let pools = Pools::default();
        let (one, other) = (current_thread(), current_thread());
        let pool = |runtime: &tokio::runtime::Runtime| runtime.block_on(async { pools.current() });
        let first = pool(&one);
        assert!(Arc::ptr_eq(&first, &pool(&one)));
        assert!(!Arc::ptr_eq(&first, &pool(&other)));
        assert!(!Arc::ptr_eq(&first, &pools.shared));
        assert!(Arc::ptr_eq(&first, &pool(&one)), "the other runtime must not take its pool");
    }

    /// A program may start runtimes without end. Their connections are closed.
    #[test]
    fn pools_of_a_place_are_bounded() {
        let pools = Pools::default();
        let all: Vec<_> =
            (0..3 * MOST).map(|_| current_thread().block_on(async { pools.current() })).collect();
        let kept = all.iter().filter(|pool| Arc::strong_count(pool) > 1).count();
        assert_eq!(kept, MOST);
    }

    #[test]
    fn threads_of_one_runtime_share_a_pool() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let pools = Arc::new(Pools::default());
        for _ in 0..8 {
            let pools = Arc::clone(&pools);
            let is_shared = async move { Arc::ptr_eq(&pools.current(), &pools.shared) };
            assert!(runtime.block_on(runtime.spawn(is_shared)).unwrap());
        }
    }
}
