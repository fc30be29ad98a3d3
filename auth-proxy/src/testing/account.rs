//! An account of the fake.

use serde_json::{Map, Value};

#[derive(Clone)]
pub(super) struct Account {
    pub(super) login: String,
    pub(super) password: String,
    pub(super) claims: Map<String, Value>,
}
