//! Collects audit events, for tests that compare them with what was done.

use std::sync::{Arc, Mutex};

use auth_proxy::audit::{Event, Observer};
use serde_json::Value;

use crate::watch;

/// The audit events of a proxy. Its clones share them.
#[derive(Clone, Debug, Default)]
pub struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    /// The observer that collects.
    pub fn observer(&self) -> impl Observer + use<> {
        let events = Arc::clone(&self.0);
        move |event: Event| events.lock().unwrap().push(event)
    }

    /// The events so far. The log watch searches them for secrets.
    ///
    /// # Panics
    /// If an event is not a JSON object with the time of the event.
    #[must_use]
    pub fn all(&self) -> Vec<Event> {
        let all = self.0.lock().unwrap().clone();
        for event in &all {
            watch::look(format!("{event:?} {}", serde_json::to_string(event).unwrap()).as_bytes());
        }
        all
    }

    /// The events so far as JSON, without their times and the names of their proxies.
    ///
    /// # Panics
    /// If an event has no time or no name of a proxy.
    #[must_use]
    pub fn json(&self) -> Vec<Value> {
        let without_time = |event: &Event| {
            let mut json = serde_json::to_value(event).unwrap();
            let fields = json.as_object_mut().unwrap();
            let at = fields.remove("at").unwrap();
            assert!(at.as_str().unwrap().ends_with('Z'), "{event:?}");
            assert!(fields.remove("proxy").unwrap().is_string(), "{event:?}");
            json
        };
        self.all().iter().map(without_time).collect()
    }

    /// The names of the events so far.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.all().iter().map(|event| event.kind.name()).collect()
    }
}
