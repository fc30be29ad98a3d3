//! The small form of a session that is remembered: JSON text instead of maps.

use std::sync::Arc;
use std::time::SystemTime;

use crate::dialect::RawSession;

/// A session as JSON text, if nothing is lost by that. A map of five fields takes a kilobyte, and its text 150 bytes.
pub(super) enum Packed {
    /// The fields of the session, without its expiry.
    Text(Box<str>),
    /// A session that would not be the same after it is read from its text.
    Maps(Arc<RawSession>),
}

impl Packed {
    pub(super) fn new(raw: &Arc<RawSession>) -> Self {
        Self::text(raw).unwrap_or_else(|| Self::Maps(Arc::clone(raw)))
    }

    fn text(raw: &RawSession) -> Option<Self> {
        let RawSession { user, expires, extra, needs_refresh } = raw;
        let text = serde_json::to_string(&(user, extra, needs_refresh)).ok()?;
        // serde_json may read a number with a fraction as its neighbour, and reads a depth of at most 127 lists and maps. A
        // field of `extra` is one deeper here than in the response.
        (read(&text, *expires)? == *raw).then(|| Self::Text(text.into_boxed_str()))
    }

    /// The session, which expires at this time. `None` cannot happen: the text was read once when it was written.
    pub(super) fn raw(&self, expires: Option<SystemTime>) -> Option<Arc<RawSession>> {
        match self {
            Self::Text(text) => read(text, expires).map(Arc::new),
            Self::Maps(raw) => Some(Arc::clone(raw)),
        }
    }
}

fn read(text: &str, expires: Option<SystemTime>) -> Option<RawSession> {
    let (user, extra, needs_refresh) = serde_json::from_str(text).ok()?;
    Some(RawSession { user, expires, extra, needs_refresh })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn raw(user: Value, extra: Value) -> Arc<RawSession> {
        let map = |value| if let Value::Object(map) = value { map } else { Map::new() };
        let expires = Some(SystemTime::UNIX_EPOCH);
        Arc::new(RawSession { user: map(user), expires, extra: map(extra), needs_refresh: false })
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
    fn session_to_refresh_is_one_after_it_was_text() {
        let raw =
            RawSession { needs_refresh: true, ..RawSession::clone(&raw(json!({"id": "1"}), json!({}))) };
        let packed = Packed::new(&Arc::new(raw));
        assert!(matches!(packed, Packed::Text(_)));
        assert!(packed.raw(None).unwrap().needs_refresh);
    }

    /// serde_json reads the response with it, and would not read the text.
    #[test]
    fn session_with_the_deepest_value_of_a_response_is_the_same() {
        let deepest = (0..126).fold(json!(0), |inner, _| json!([inner]));
        let response = json!({"user": {}, "deepest": deepest}).to_string();
        assert!(serde_json::from_str::<Value>(&response).is_ok());
        assert!(is_same(&raw(json!({}), json!({"deepest": deepest}))));
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
