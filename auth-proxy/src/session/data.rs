//! What an app gets of a session: its data, and the default type of its user.

use std::fmt::{self, Write as _};
use std::time::SystemTime;

use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// A session as the upstream answers it, with the user in the app's type.
///
/// The `sessionToken` that some upstreams put into a database session (Robo's
/// `events/_start.ts`) is taken out: it is the cookie's value and stays in the cookie.
///
/// Serialises to the JSON of Auth.js: `{"user": .., "expires": ..}` and the extra fields. `Debug`
/// shows no field of the user.
#[non_exhaustive]
pub struct SessionData<U> {
    /// The signed-in user.
    pub user: U,
    /// When the session ends unless it is used before: the horizon of the cookie, not the `exp` of a
    /// token.
    pub expires: Option<SystemTime>,
    /// Every other field that the upstream's session callback put there.
    pub extra: Map<String, Value>,
}

impl<U> SessionData<U> {
    /// A session of this user, without an end and without other fields. For tests.
    ///
    /// ```
    /// use auth_proxy::{User, sessions::SessionData};
    ///
    /// let session = SessionData::new(User { name: Some("Ada".into()), ..User::default() });
    /// assert!(session.expires.is_none() && session.extra.is_empty());
    /// ```
    #[must_use]
    pub fn new(user: U) -> Self {
        Self { user, expires: None, extra: Map::new() }
    }
}

impl<U> fmt::Debug for SessionData<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionData").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl<U: Serialize> Serialize for SessionData<U> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("user", &self.user)?;
        if let Some(expires) = self.expires {
            // Only the years from 1970 to 9999 can be written; humantime panics before.
            let mut text = String::new();
            let writable = expires >= SystemTime::UNIX_EPOCH
                && write!(text, "{}", humantime::format_rfc3339_millis(expires)).is_ok();
            if !writable {
                return Err(S::Error::custom("the session expires in a year that cannot be written"));
            }
            map.serialize_entry("expires", &text)?;
        }
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The default type of `session.user`: what Auth.js's default session callback gives, and every
/// other field in `extra`.
///
/// `Debug` shows the id and the names of the extra fields, not their values.
///
/// ```
/// let user: auth_proxy::User = serde_json::from_str(r#"{ "name": "Ada", "role": "admin" }"#)?;
/// assert_eq!((user.name.as_deref(), &user.extra["role"]), (Some("Ada"), &"admin".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The user's id. Auth.js's default callback does not tell it; see the upstream's session
    /// callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name to show.
    #[serde(default)]
    pub name: Option<String>,
    /// The email address.
    #[serde(default)]
    pub email: Option<String>,
    /// The address of a picture.
    #[serde(default)]
    pub image: Option<String>,
    /// Every other field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("extra", &self.extra.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
