//! The claim `events`, which makes a token a security event (RFC 8417, section 2.2), such as a logout token.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::json;

/// The member of `events` that makes a token a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4).
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

#[derive(Deserialize)]
struct Events<'t> {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout", borrow)]
    logout: &'t RawValue,
}

/// Whether a claim `events` names a logout, whatever its value is.
pub(super) fn names_a_logout(events: &RawValue) -> bool {
    let members: Result<BTreeMap<String, IgnoredAny>, _> = serde_json::from_str(events.get());
    members.is_ok_and(|members| members.contains_key(LOGOUT))
}

/// Whether a claim `events` is that of a logout token: the value of its one member for a logout is an object.
pub(super) fn is_a_logout(events: &RawValue) -> bool {
    json::object(events.get()).is_ok_and(|Events { logout }| logout.get().starts_with('{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_for_the_logout_makes_a_logout_token() {
        let logout = format!("\"{LOGOUT}\"");
        let escaped = logout.replace('/', "\\/");
        for (events, names, is) in [
            (format!("{{{logout}:{{}}}}"), true, true),
            (format!("{{{escaped}: {{\"a\":1}}, \"other\":null }}"), true, true),
            (format!("{{{logout}:null}}"), true, false),
            (format!("{{{logout}:[]}}"), true, false),
            (format!("{{{logout}:{{}},{logout}:{{}}}}"), true, false),
            (format!("[{logout}]"), false, false),
            (format!("[{{{logout}:{{}}}}]"), false, false),
            (logout.clone(), false, false),
            ("{}".to_owned(), false, false),
            ("null".to_owned(), false, false),
        ] {
            let value: &RawValue = serde_json::from_str(&events).unwrap();
            assert_eq!((names_a_logout(value), is_a_logout(value)), (names, is), "{events}");
        }
    }
}
