//! The threads that serve connections: one for each core, with a runtime of its own.
//!
//! A connection stays on the thread that got it. Its requests, and its connections to the login server and the app, are
//! driven there, so no request moves between cores. One task accepts, and gives each connection to the thread that has the
//! fewest. With `SO_REUSEPORT` the system would choose by a hash instead: some threads get more than others, a second
//! gateway could take the same port without an error, and connections that wait at one thread could not be taken by another
//! one when `max_connections` is reached.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;

/// The threads. They end when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Workers {
    workers: Arc<[Worker]>,
    /// Closed when the last clone is dropped.
    _stop: Arc<watch::Sender<()>>,
}

struct Worker {
    runtime: Handle,
    open: Arc<AtomicUsize>,
}

/// The place of a connection at a worker. The worker counts it until it is dropped.
pub(super) struct Place {
    runtime: Handle,
    open: Arc<AtomicUsize>,
}

impl Workers {
    /// One thread for each core that this process may use.
    ///
    /// # Errors
    /// When a thread or its runtime cannot be made.
    pub(crate) fn for_each_core() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let (stop, stops) = watch::channel(());
        let workers = (0..count).map(|n| start(n, stops.clone())).collect::<io::Result<_>>()?;
        Ok(Self { workers, _stop: Arc::new(stop) })
    }

    /// The runtime that this is called in, without threads of its own.
    pub(crate) fn here() -> Self {
        let worker = Worker { runtime: Handle::current(), open: Arc::default() };
        Self { workers: Arc::new([worker]), _stop: Arc::new(watch::Sender::new(())) }
    }

    /// A place at the worker that has the fewest connections.
    pub(super) fn place(&self) -> Place {
        // Only one task takes places, so no other one takes this place meanwhile.
        let fewest = self.workers.iter().min_by_key(|worker| worker.open.load(Ordering::Relaxed));
        let (runtime, open) = match fewest {
            Some(worker) => (worker.runtime.clone(), Arc::clone(&worker.open)),
            // Unreachable: there is at least one worker.
            None => (Handle::current(), Arc::default()),
        };
        open.fetch_add(1, Ordering::Relaxed);
        Place { runtime, open }
    }
}

impl Place {
    /// The runtime of the worker.
    pub(super) fn runtime(&self) -> Handle {
        self.runtime.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn start(n: usize, mut stops: watch::Receiver<()>) -> io::Result<Worker> {
    let (sender, handle) = mpsc::channel();
    thread::Builder::new().name(format!("worker-{n}")).spawn(move || {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(sender.send(Err(error))),
        };
        let _ = sender.send(Ok(runtime.handle().clone()));
        // Nothing is ever sent: this ends when the sender is dropped.
        let _ = runtime.block_on(stops.changed());
        // A task that hangs must not keep the thread.
        runtime.shutdown_background();
    })?;
    let runtime = handle.recv().map_err(io::Error::other)??;
    Ok(Worker { runtime, open: Arc::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_go_to_the_worker_that_has_the_fewest() {
        let (stop, stops) = watch::channel(());
        let workers = (0..3).map(|n| start(n, stops.clone())).collect::<io::Result<_>>().unwrap();
        let workers = Workers { workers, _stop: Arc::new(stop) };
        let open = || workers.workers.iter().map(|one| one.open.load(Ordering::Relaxed)).collect::<Vec<_>>();
        let mut places: Vec<Place> = (0..7).map(|_| workers.place()).collect();
        assert_eq!(open(), [3, 2, 2]);
        // The second worker loses both of its connections, and gets the next two.
        places.retain(|place| !Arc::ptr_eq(&place.open, &workers.workers[1].open));
        assert_eq!(open(), [3, 0, 2]);
        places.extend([workers.place(), workers.place()]);
        assert_eq!(open(), [3, 2, 2]);
    }

    #[tokio::test]
    async fn each_worker_has_a_thread_of_its_own_which_ends_with_the_workers() {
        let (stop, stops) = watch::channel(());
        let workers = (0..2).map(|n| start(n, stops.clone())).collect::<io::Result<_>>().unwrap();
        drop(stops);
        let workers = Workers { workers, _stop: Arc::new(stop) };
        let places = [workers.place(), workers.place()];
        let mut threads = Vec::new();
        for place in &places {
            let thread = place.runtime().spawn(async { thread::current().id() });
            threads.push(thread.await.unwrap());
        }
        assert_ne!(threads[0], threads[1]);
        let hangs = places[0].runtime().spawn(std::future::pending::<()>());
        drop(workers);
        assert!(hangs.await.unwrap_err().is_cancelled());
    }
}
