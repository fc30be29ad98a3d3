//! [`StoreUrl`]: the address of the store that instances share. It may contain a password.

use std::fmt;

use crate::invalid_value::InvalidValue;

const SCHEMES: [&str; 7] = [
    "redis://",
    "rediss://",
    "redis+sentinel://",
    "rediss+sentinel://",
    "redis+cluster://",
    "rediss+cluster://",
    "unix://",
];

/// The address of the store that instances share. `Debug` does not show it, because it may contain a password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreUrl(..)")
    }
}

/// Checks the scheme of an address. The store checks the rest.
///
/// # Errors
/// Names the schemes, and does not show the address.
pub(crate) fn store_url(text: &str) -> Result<StoreUrl, InvalidValue> {
    let known = |scheme: &&str| text.strip_prefix(*scheme).is_some_and(|rest| !rest.is_empty());
    if SCHEMES.iter().any(known) {
        return Ok(StoreUrl(text.to_owned()));
    }
    Err(InvalidValue::new(
        "expected `redis://host:port`, `rediss://` with TLS, `redis+sentinel://host:port,host:port/service`, \
         `redis+cluster://host:port,host:port` or `unix:///path`",
    ))
}

/// Whether an address contains a password.
#[must_use]
pub fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_known_stores_are_accepted_and_none_is_shown() {
        for url in
            ["redis://:hunter2@h:1/0", "rediss://h", "redis+sentinel://a:1,b:2/main", "unix:///run/redis"]
        {
            let url = store_url(url).unwrap();
            assert_eq!(format!("{url:?}"), "StoreUrl(..)");
        }
        for url in ["", "redis://", "redis:hunter2", "http://hunter2", "REDIS_URL", "memcached://hunter2"] {
            let error = store_url(url).unwrap_err().to_string();
            assert!(error.contains("redis://host:port") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn password_in_an_address_is_found() {
        for (url, expected) in [
            ("redis://:p@h", true),
            ("redis://user:p@h:1/0", true),
            ("redis+sentinel://u:p@a:1,b:2/main", true),
            ("redis://h:6379", false),
            ("redis://user@h:6379", false),
            ("redis://h:6379/@:", false),
        ] {
            assert_eq!(has_password(url), expected, "{url}");
        }
    }
}
