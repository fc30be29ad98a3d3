//! Rules about what a visitor has: a role, a permission, an organization.

use std::fmt;

use serde_json::{Map, Value};

use super::visitor::Fact;
use super::{Decision, Rule, Visitor};
use crate::dialect::ACTIVE_ORGANIZATION;
use crate::provider::AuthProxy;

/// Where the roles of a visitor stand.
const ROLES: &[&str] = &["role", "roles"];
const PERMISSIONS: &[&str] = &["permission", "permissions"];
/// The first is that of the plugin `organization` of Better Auth, the second that of Auth0. Not `organization`: this may be
/// what visitors write about themselves.
const ORGANIZATIONS: &[&str] = &[ACTIVE_ORGANIZATION, "org_id"];

/// Visitors with this role may pass. The match is exact, in upper and lower case too.
///
/// The roles are the field `role` or `roles` of `session.user` or of the session, as the upstream sent it, whatever the
/// app's type of the user is. Only if the session has neither, the claims of a token count that was verified here. The field
/// is a string, several strings with commas between them, as the plugin `admin` of Better Auth writes them, or a list of
/// strings. A list with anything else in it cannot be read: none of its strings counts. Another field is named with
/// [`in_field`](Has::in_field).
///
/// Visitors must not be able to write the field themselves: in Better Auth it needs `input: false`.
///
/// ```
/// # use auth_proxy::{auth_proxy, rules::role};
/// # use axum::{Router, routing::get};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let admin = Router::new().route("/users", get(|| async { "all users" }));
/// let admin: Router = admin.route_layer(auth.require(role("admin")));
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[must_use]
pub fn role(name: impl Into<String>) -> Has {
    Has::new(ROLES, name.into())
}

/// Visitors with this permission may pass: as [`role`], with the fields `permission` and `permissions`.
///
/// The permissions of an OAuth access token stand in its claim `scope`, with spaces between them:
/// `permission("orders:read").in_field("scope")`.
///
/// ```
/// # use auth_proxy::{auth_proxy, rules::permission};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let layer = auth.require(permission("orders:read"));
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[must_use]
pub fn permission(name: impl Into<String>) -> Has {
    Has::new(PERMISSIONS, name.into())
}

/// Visitors who act for this organization may pass: as [`role`], with the id that the plugin `organization` of Better Auth
/// writes into the session (`activeOrganizationId`), or the field `org_id`.
///
/// Better Auth leaves the id in the session of a member who was removed. The [guide on policies](crate::guide::policies) has a
/// plugin for the server that takes it out.
///
/// ```
/// # use auth_proxy::{auth_proxy, rules::organization};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let layer = auth.require(organization("acme"));
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[must_use]
pub fn organization(id: impl Into<String>) -> Has {
    Has::new(ORGANIZATIONS, id.into())
}

/// The rule of [`role`], [`permission`] and [`organization`].
///
/// ```
/// use auth_proxy::rules::{Has, role};
///
/// // Keycloak nests the roles in its tokens.
/// let admin: Has = role("admin").in_field("/realm_access/roles");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Has {
    fields: &'static [&'static str],
    named: Option<String>,
    wanted: String,
}

impl Has {
    fn new(fields: &'static [&'static str], wanted: String) -> Self {
        Self { fields, named: None, wanted }
    }

    /// Reads only this field, of the session or of the token. A name that begins with `/` is a JSON Pointer (RFC 6901) to
    /// a nested field. The text of a field `scope` has spaces between its values (RFC 8693, section 4.2).
    #[must_use]
    pub fn in_field(mut self, name: impl Into<String>) -> Self {
        self.named = Some(name.into());
        self
    }

    /// Whether one of the fields has the wanted value. `None` if there is no such field.
    fn read(&self, map: &Map<String, Value>) -> Option<Fact<bool>> {
        let mut found = None;
        let mut note = |value: &Value, separator: char| {
            let here = self.is_in(value, separator);
            found = Some(match (found.take(), here) {
                (Some(Fact::Known(true)), _) | (_, Some(true)) => Fact::Known(true),
                (None | Some(Fact::Known(_)), Some(false)) => Fact::Known(false),
                // A field without a readable value may stand for any role.
                _ => Fact::Unknown,
            });
        };
        match &self.named {
            Some(name) => {
                if let Some(value) = field(map, name) {
                    note(value, if name == "scope" || name.ends_with("/scope") { ' ' } else { ',' });
                }
            }
            None => {
                for value in self.fields.iter().filter_map(|name| map.get(*name)) {
                    note(value, ',');
                }
            }
        }
        found
    }

    /// Whether a field has the wanted value. `None` if its values cannot be read, or if the empty text is wanted, which is in
    /// every text with two commas in a row. `None` also if a text of a list seems to be several texts with the wanted one among
    /// them: in a list each text is one value, and it is not certain that this one is not meant.
    fn is_in(&self, value: &Value, separator: char) -> Option<bool> {
        if self.wanted.is_empty() {
            return None;
        }
        let values = values(value, separator)?;
        if values.contains(&self.wanted.as_str()) {
            return Some(true);
        }
        let seems_to_be_in = |text: &&str| text.split(separator).any(|part| part.trim() == self.wanted);
        (!values.iter().any(seems_to_be_in)).then_some(false)
    }
}

impl<P: AuthProxy> Rule<P> for Has {
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        match visitor.fact(|map| self.read(map)) {
            Fact::Known(has) => Decision::from(has),
            Fact::Unknown => Decision::Unknown,
            Fact::Unavailable(error) => Decision::Unavailable(error),
        }
    }
}

impl fmt::Debug for Has {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}({:?})",
            self.named.as_deref().or(self.fields.first().copied()).unwrap_or_default(),
            self.wanted
        )
    }
}

/// The roles of a visitor: those that [`role`] reads. None if they are not known, or if one of the fields cannot be read: with
/// a part of the roles, a service could take the visitor for another one.
pub(in crate::guard) fn roles<P: AuthProxy>(visitor: &Visitor<'_, P>) -> Vec<String> {
    let read = |map: &Map<String, Value>| {
        let mut fields = ROLES.iter().filter_map(|name| map.get(*name)).peekable();
        fields.peek()?;
        let roles: Option<Vec<_>> = fields.map(|value| values(value, ',')).collect();
        Some(roles.map_or(Fact::Unknown, |roles| {
            Fact::Known(roles.concat().into_iter().map(str::to_owned).collect())
        }))
    };
    match visitor.fact(read) {
        Fact::Known(roles) => roles,
        Fact::Unknown | Fact::Unavailable(_) => Vec::new(),
    }
}

/// The values of a field: the texts of a list, or those between the separators of a text. `None` if it is neither text nor a
/// list of texts: something else in a list may stand for any value.
fn values(value: &Value, separator: char) -> Option<Vec<&str>> {
    let mut values: Vec<&str> = match value {
        Value::String(text) => text.split(separator).map(str::trim).collect(),
        Value::Array(list) => list.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    values.retain(|value| !value.is_empty());
    Some(values)
}

/// A field by its name, or by a JSON Pointer.
fn field<'m>(map: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    let Some(path) = name.strip_prefix('/') else { return map.get(name) };
    let unescape = |step: &str| step.replace("~1", "/").replace("~0", "~");
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let value = map.get(&unescape(first))?;
    match rest {
        Some(rest) => value.pointer(&format!("/{rest}")),
        None => Some(value),
    }
}
