use auth_proxy::Claims;
use serde_json::{Map, Value};

/// Input: a claims set.
///
/// Property: reading it loses no claim and adds none.
pub fn claims(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let map = serde_json::from_str::<Map<String, Value>>(text);
    let Ok(claims) = serde_json::from_str::<Claims>(text) else {
        let own = ["sub", "name", "email", "picture"];
        if let Ok(map) = map {
            let odd =
                |name: &&str| map.get(*name).is_some_and(|value| !value.is_string() && !value.is_null());
            // A repeated name is rejected, while a map keeps the last value.
            let twice = |name: &&str| text.matches(*name).count() > 1 || text.contains("\\u");
            assert!(own.iter().any(odd) || own.iter().any(twice), "valid claims were rejected");
        }
        return;
    };
    let mut map = map.unwrap();
    map.retain(|name, value| {
        !(value.is_null() && matches!(name.as_str(), "sub" | "name" | "email" | "picture"))
    });
    assert_eq!(serde_json::to_value(&claims).unwrap(), Value::Object(map));
    assert!(!format!("{claims:?}").contains("\u{0}"));
}
