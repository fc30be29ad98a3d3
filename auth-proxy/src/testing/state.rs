//! The state of the fake upstream: its settings, its accounts and database sessions, and the requests it received.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value};

use super::account::Account;
use super::better_auth::{Options, Store};
use crate::config::{Strategy, TokenFormat};

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
    pub(super) personality: Personality,
    pub(super) session_claims: Vec<String>,
    /// Only Better Auth reads these.
    pub(super) better_auth: Options,
}

/// The server that the fake imitates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Personality {
    Authjs,
    NextAuthV4,
    Robo,
    BetterAuth,
}

/// The state that requests change.
#[derive(Default)]
pub(super) struct Memory {
    /// Database sessions: the value of the session cookie, and the user's claims.
    pub(super) sessions: HashMap<String, Map<String, Value>>,
    /// Accounts that were registered at `/signup`.
    pub(super) accounts: Vec<Account>,
    /// The users and sessions of Better Auth.
    pub(super) better_auth: Store,
    /// Every request so far, oldest first.
    pub(super) seen: Vec<SeenRequest>,
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

impl Settings {
    pub(super) fn is_robo(&self) -> bool {
        self.personality == Personality::Robo
    }

    pub(super) fn is_next_auth_v4(&self) -> bool {
        self.personality == Personality::NextAuthV4
    }

    /// The name of a cookie beside the session cookie, such as `csrf-token` (`docs/authjs.md#cookie-names-v4`).
    pub(super) fn helper_cookie(&self, name: &str) -> String {
        format!("{}.{name}", if self.is_next_auth_v4() { "next-auth" } else { "authjs" })
    }

    /// The encryption of its session tokens.
    pub(super) fn token_format(&self) -> TokenFormat {
        if self.is_next_auth_v4() { TokenFormat::EncryptedV4 } else { TokenFormat::Encrypted }
    }

    pub(super) fn is_better_auth(&self) -> bool {
        self.personality == Personality::BetterAuth
    }
}

impl Fake {
    pub(super) fn new(settings: Settings) -> Self {
        let memory = Memory { better_auth: Store::new(&settings.accounts), ..Memory::default() };
        Self { settings, memory: Mutex::new(memory) }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
