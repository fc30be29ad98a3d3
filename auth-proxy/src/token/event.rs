//! The claim `events`, which makes a token a security event (RFC 8417, section 2.2), such as a logout token.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// The member of `events` that makes a token a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4).
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Whether a claim `events` names a logout, whatever its value is.
pub(super) fn names_a_logout(events: &RawValue) -> bool {
    let members: Result<BTreeMap<String, IgnoredAny>, _> = serde_json::from_str(events.get());
    members.is_ok_and(|members| members.contains_key(LOGOUT))
}
