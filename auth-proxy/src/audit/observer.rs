//! [`Observer`]: the app's code that gets the events.

use super::event::Event;

/// Gets the audit events of a proxy, for [`Builder::observer`](crate::options::Builder::observer). A closure that takes an
/// [`Event`] is an observer.
///
/// It is called in a thread of its own, with one event after the other, so it may block and write to a file. 4,096 events
/// wait for it. Further events are dropped, and an event `dropped` says how many. A quarter of the places is kept for events
/// that not every request can cause: a flood of refused requests does not hide a sign-in. A panic is logged, and the next
/// event is delivered.
///
/// ```
/// use std::fs::File;
/// use std::io::Write as _;
/// use auth_proxy::audit::{Event, Observer};
///
/// struct JsonLines(File);
///
/// impl Observer for JsonLines {
///     fn observe(&mut self, event: Event) {
///         let line = serde_json::to_string(&event).expect("an event is JSON");
///         if let Err(error) = writeln!(self.0, "{line}") {
///             eprintln!("no audit log: {error}");
///         }
///     }
/// }
/// ```
pub trait Observer: Send + 'static {
    /// Takes an event.
    fn observe(&mut self, event: Event);
}

impl<F: FnMut(Event) + Send + 'static> Observer for F {
    fn observe(&mut self, event: Event) {
        self(event);
    }
}

/// An observer of any type.
pub(crate) type BoxObserver = Box<dyn Observer>;
