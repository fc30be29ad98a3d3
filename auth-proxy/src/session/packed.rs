//! The small form of a session that is remembered: JSON text instead of maps.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use crate::dialect::RawSession;

/// A session as JSON text, if nothing is lost by that. A map of five fields takes a kilobyte, and its text 150 bytes.
pub(super) enum Packed {
    /// The user and the other fields.
    Text(Box<str>),
    /// A session that would not be the same after it is read from its text.
    Maps(Arc<RawSession>),
}

impl Packed {
    pub(super) fn new(raw: &Arc<RawSession>) -> Self {
        Self::text(raw).unwrap_or_else(|| Self::Maps(Arc::clone(raw)))
    }

    fn text(raw: &RawSession) -> Option<Self> {
        let text = serde_json::to_string(&(&raw.user, &raw.extra)).ok()?;
        // serde_json may read a number with a fraction as its neighbour. Everything else is read as it was written.
        let has_fraction = raw.user.values().chain(raw.extra.values()).any(has_fraction);
        (!has_fraction || read(&text, raw.expires)? == *raw).then(|| Self::Text(text.into_boxed_str()))
    }

    /// The session, which expires at this time. `None` cannot happen: the text was written here.
    pub(super) fn raw(&self, expires: Option<SystemTime>) -> Option<Arc<RawSession>> {
        match self {
            Self::Text(text) => read(text, expires).map(Arc::new),
            Self::Maps(raw) => Some(Arc::clone(raw)),
        }
    }
}

fn read(text: &str, expires: Option<SystemTime>) -> Option<RawSession> {
    let (user, extra) = serde_json::from_str(text).ok()?;
    Some(RawSession { user, expires, extra })
}

/// Whether a value has a number that is no integer.
fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_i64() && !number.is_u64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(fields) => fields.values().any(has_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    fn raw(user: Value, extra: Value) -> Arc<RawSession> {
        let map = |value| if let Value::Object(map) = value { map } else { Map::new() };
        Arc::new(RawSession { user: map(user), expires: Some(SystemTime::UNIX_EPOCH), extra: map(extra) })
    }

    fn is_same(raw: &Arc<RawSession>) -> bool {
        // As text, since that shows the order of the fields and the sign of zero too.
        let text = |raw: &RawSession| serde_json::to_string(raw).unwrap();
        let read = Packed::new(raw).raw(raw.expires).unwrap();
        read == *raw && text(&read) == text(raw)
    }

    #[test]
    fn session_is_the_same_after_it_was_text() {
        for (user, extra) in [
            (json!({}), json!({})),
            (json!({"name": "Ada", "id": "1"}), json!({})),
            (json!({"name": null, "roles": ["a", {"b": []}]}), json!({"session": {"id": "s"}, "": 0})),
            (json!({"text": "\"\\\u{0}\u{1f469}\u{200d}\u{1f4bb}\u{fffd}{}"}), json!({"z": 1, "a": 2})),
            (json!({"n": [u64::MAX, i64::MIN, -0.0, 1.0, 1e300, 0.1, 5e-324]}), json!({})),
        ] {
            let raw = raw(user, extra);
            assert!(is_same(&raw), "{raw:?}");
        }
    }

    #[test]
    fn session_without_fractions_is_text() {
        assert!(matches!(Packed::new(&raw(json!({"id": u64::MAX}), json!({"a": -1}))), Packed::Text(_)));
    }

    proptest! {
        #[test]
        fn any_number_and_text_is_the_same_after_it_was_text(number in any::<f64>(), text in "\\PC*") {
            let is_same = is_same(&raw(json!({"number": number, "text": text}), json!({(text): number})));
            prop_assert!(is_same);
        }
    }
}
