use auth_proxy::Claims;
use serde_json::{Map, Value};

/// A claims set.
///
/// What is read of it is what it says, no claim lost and none made up.
pub fn claims(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let map = serde_json::from_str::<Map<String, Value>>(text);
    let Ok(claims) = serde_json::from_str::<Claims>(text) else {
        let own = ["sub", "name", "email", "picture"];
        if let Ok(map) = map {
            let odd =
                |name: &&str| map.get(*name).is_some_and(|value| !value.is_string() && !value.is_null());
            // A name that comes twice is refused, and a map keeps the last.
            let twice = |name: &&str| text.matches(*name).count() > 1 || text.contains("\\u");
            assert!(own.iter().any(odd) || own.iter().any(twice), "refused for nothing");
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
