//! The session data that an app gets, and the default type of its user.

use std::fmt::{self, Write as _};
use std::time::SystemTime;

use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::dialect::{ACTIVE_ORGANIZATION, IMPERSONATED_BY};

/// A session as the upstream answers it, with the user in the app's type.
///
/// Some upstreams put the `sessionToken` into a database session (`docs/authjs.md#session-callback-robo`). It is
/// removed, because it is the value of the cookie and must not reach pages.
///
/// Serialises to the JSON of Auth.js: `{"user": .., "expires": ..}` and the extra fields. `Debug`
/// shows no field of the user.
#[non_exhaustive]
pub struct SessionData<U> {
    /// The signed-in user.
    pub user: U,
    /// When the session ends if it is not used again. This is the expiry of the cookie, not the `exp` of a token.
    pub expires: Option<SystemTime>,
    /// Every other field that the upstream's session callback added.
    pub extra: Map<String, Value>,
}

impl<U> SessionData<U> {
    /// A session of this user, without an expiry and without other fields. For tests.
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

    /// The id of the user who acts in the name of [`user`](Self::user), while an admin impersonates that user (the
    /// plugin `admin` of Better Auth, `docs/better-auth.md#get-session`). `None` in any other session.
    ///
    /// ```
    /// use auth_proxy::{AuthError, Session, auth_proxy};
    ///
    /// auth_proxy! { struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL"), kind: better_auth } } }
    ///
    /// async fn delete_account(session: Session<Auth>) -> Result<(), &'static str> {
    ///     if session.impersonated_by().is_some() {
    ///         return Err("sign in as yourself");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn impersonated_by(&self) -> Option<&str> {
        self.of_session(IMPERSONATED_BY)
    }

    /// Whether somebody else acts in the name of the user. An id of another type than text counts too.
    pub(crate) fn is_impersonated(&self) -> bool {
        let by = self.extra.get("session").and_then(|session| session.get(IMPERSONATED_BY));
        by.is_some_and(|by| !by.is_null())
    }

    /// The id of the organization that the visitor chose (the plugin `organization` of Better Auth,
    /// `docs/better-auth.md#get-session`). `None` without one.
    ///
    /// ```
    /// use auth_proxy::sessions::SessionData;
    ///
    /// fn folder<U>(session: &SessionData<U>) -> String {
    ///     format!("/files/{}", session.active_organization().unwrap_or("private"))
    /// }
    /// ```
    #[must_use]
    pub fn active_organization(&self) -> Option<&str> {
        self.of_session(ACTIVE_ORGANIZATION)
    }

    /// A text of the details that the upstream has of the session besides the user.
    fn of_session(&self, field: &str) -> Option<&str> {
        self.extra.get("session")?.get(field)?.as_str()
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
            // humantime writes the years 1970 to 9999. It panics for earlier ones.
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

/// The default type of `session.user`: the fields of Auth.js's default session callback, and every other field in
/// `extra`.
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
    /// The user's id. Auth.js's default session callback leaves it out; add it in the upstream's session callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name to show.
    #[serde(default)]
    pub name: Option<String>,
    /// The email address.
    #[serde(default)]
    pub email: Option<String>,
    /// The URL of a picture.
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
