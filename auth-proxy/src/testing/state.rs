//! The state of the fake upstream: its settings, its accounts and database sessions, and the requests it received.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value};

use crate::config::Strategy;

/// The settings of the fake, and what it remembers between requests.
pub(super) struct Fake {
    pub(super) settings: Settings,
    memory: Mutex<Memory>,
}

/// How the fake behaves. Nothing changes it after the start.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) base_path: String,
    pub(super) secret: String,
    pub(super) cookie_name: String,
    pub(super) strategy: Strategy,
    pub(super) max_age: Duration,
    /// The accounts that the builder was given.
    pub(super) accounts: Vec<Account>,
    pub(super) robo: bool,
    pub(super) session_claims: Vec<String>,
}

/// The state that requests change.
#[derive(Default)]
pub(super) struct Memory {
    /// Database sessions: the value of the session cookie, and the user's claims.
    pub(super) sessions: HashMap<String, Map<String, Value>>,
    /// Accounts that were registered at `/signup`.
    pub(super) accounts: Vec<Account>,
    /// Every request so far, oldest first.
    pub(super) seen: Vec<SeenRequest>,
}

#[derive(Clone)]
pub(super) struct Account {
    pub(super) login: String,
    pub(super) password: String,
    pub(super) claims: Map<String, Value>,
}

/// A request as it arrived at the fake.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SeenRequest {
    /// The method.
    pub method: Method,
    /// The target, byte for byte.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
}

impl Fake {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, memory: Mutex::default() }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
