//! The thread that calls the observer.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use tokio::sync::watch;

use super::event::{Event, EventKind};
use super::observer::BoxObserver;
use super::queue::{Next, Queue};

/// Sends events to the observer. When it is dropped, the thread delivers the events that wait, and ends.
pub(super) struct Delivery {
    queue: Arc<Queue>,
    /// How many events were delivered.
    delivered: watch::Receiver<u64>,
    proxy: &'static str,
}

impl Delivery {
    /// Starts the thread of an observer. `proxy` is the name of the declared type.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn start(proxy: &'static str, observer: BoxObserver) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let (sender, delivered) = watch::channel(0);
        let worker = Worker { proxy, observer, has_panicked: false };
        let waiting = Arc::clone(&queue);
        // A thread, and not a task: an observer that blocks would stop the requests of its runtime.
        let thread = thread::Builder::new().name("auth-proxy-audit".to_owned());
        thread.spawn(move || worker.run(&waiting, &sender))?;
        Ok(Self { queue, delivered, proxy })
    }

    /// The name of the declared type.
    pub(super) fn proxy(&self) -> &'static str {
        self.proxy
    }

    pub(super) fn send(&self, event: Event) {
        self.queue.push(event);
    }

    /// Waits until the observer has taken the events that were sent so far.
    pub(super) fn delivered(&self) -> impl Future<Output = ()> + Send + use<> {
        let (sent, mut delivered) = (self.queue.accepted(), self.delivered.clone());
        async move {
            delivered.wait_for(|delivered| *delivered >= sent).await.ok();
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.queue.close();
    }
}

struct Worker {
    proxy: &'static str,
    observer: BoxObserver,
    has_panicked: bool,
}

impl Worker {
    fn run(mut self, queue: &Queue, delivered: &watch::Sender<u64>) {
        while let Some(Next { event, dropped }) = queue.pop() {
            if dropped > 0 {
                let kind = EventKind::Dropped { count: dropped };
                let (at, proxy) = (SystemTime::now(), self.proxy);
                self.call(Event { kind, at, proxy, subject: None, session: None, client: None });
            }
            self.call(event);
            delivered.send_modify(|delivered| *delivered += 1);
        }
    }

    fn call(&mut self, event: Event) {
        let observed = catch_unwind(AssertUnwindSafe(|| self.observer.observe(event)));
        let had_panicked = std::mem::replace(&mut self.has_panicked, observed.is_err());
        // Several panics in a row are logged once.
        if observed.is_err() && !had_panicked {
            tracing::error!(target: "auth_proxy::audit", "the observer panicked: the next event is delivered");
        }
    }
}
