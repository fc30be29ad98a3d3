//! [`PathRules`]: what is required for which path.

use std::fmt;
use std::sync::Arc;

use auth_proxy_rules::{InvalidValue, PathPattern};

use super::reading::{Reading, readings};
use crate::error::{AuthError, Reason};
use crate::guard::rule::{DynRule, IntoRule};
use crate::provider::AuthProxy;

/// What is required for which path of a service. The first pattern that matches counts. If none does, a session is required.
///
/// In a pattern a segment is literal text, or `*` for any one segment. `**` at the end stands for the path before it and
/// everything below: `/admin/**` matches `/admin`, `/admin/` and `/admin/users/1`. A pattern has no percent-escapes.
///
/// Services read paths in different ways: some do not tell upper from lower case, some remove `;parameters`, some end the
/// path at a `;`, some take an encoded slash as a slash. If different requirements would follow for a path, the request is
/// refused with 400 `path_ambiguous`. So is a path with dot segments, empty segments, backslashes, control characters, or broken
/// escapes, unless every path requires the same (no rules, or a first one for `/**`). Another spelling of a sign-in route, such as
/// `/API/AUTH/session`, is always refused. A service must still not route by anything else than the path, such as
/// `X-Original-URL` or `?_method=`.
///
/// Other addresses of the same content are other paths: `/admin/**` matches neither `/admin.json`, which Rails answers as
/// `/admin`, nor `/_next/data/<build>/admin.json`, where Next.js has the data of the page `/admin`. Name what may be public,
/// and require for `/**` what the strictest page needs.
///
/// ```
/// use auth_proxy::{auth_proxy, rules::role, verdict::PathRules};
///
/// auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" }, trusted_proxies: ["10.0.0.0/8"] } }
///
/// let rules = PathRules::new()
///     .public("/assets/**")?
///     .guests("/")?
///     .require("/admin/**", role("admin"))?;
/// # let auth = Auth::from_env()?;
/// let app: axum::Router = auth.verdict().rules(rules).router();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PathRules<P: AuthProxy>(Arc<Vec<(PathPattern, Requirement<P>)>>);

/// What is required of a request.
///
/// ```
/// use auth_proxy::{auth_proxy, options::InvalidValue, rules::{DynRule, role}, verdict::{PathRules, Requirement}};
///
/// auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
///
/// /// Rules of a configuration file, such as `/admin/** = role:admin`.
/// fn rules<'l>(lines: impl Iterator<Item = (&'l str, &'l str)>) -> Result<PathRules<Auth>, InvalidValue> {
///     let mut rules = PathRules::new();
///     for (pattern, requires) in lines {
///         let requirement = match requires.strip_prefix("role:") {
///             Some(name) => Requirement::Rule(DynRule::new(role(name))),
///             None if requires == "public" => Requirement::Public,
///             None => Requirement::Session,
///         };
///         rules = rules.add(pattern, requirement)?;
///     }
///     Ok(rules)
/// }
/// # rules([("/admin/**", "role:admin"), ("/a", "public")].into_iter()).unwrap();
/// ```
#[non_exhaustive]
pub enum Requirement<P: AuthProxy> {
    /// Nothing. The session is not looked up, so there are no identity headers, and an outage does not matter: for files that
    /// pages of guests need, and for health checks.
    Public,
    /// Nothing. A visitor who is signed in gets the identity headers.
    Guests,
    /// A session.
    Session,
    /// A session that a rule allows.
    Rule(DynRule<P>),
}

impl<P: AuthProxy> PathRules<P> {
    /// No rules.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// Requires nothing for these paths: see [`Requirement::Public`].
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn public(self, pattern: &str) -> Result<Self, InvalidValue> {
        self.add(pattern, Requirement::Public)
    }

    /// Lets signed-out visitors pass: see [`Requirement::Guests`].
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn guests(self, pattern: &str) -> Result<Self, InvalidValue> {
        self.add(pattern, Requirement::Guests)
    }

    /// Requires a session for these paths.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn session(self, pattern: &str) -> Result<Self, InvalidValue> {
        self.add(pattern, Requirement::Session)
    }

    /// Requires a session that a rule allows, such as [`role("admin")`](crate::rules::role), a policy or a function.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn require<M>(self, pattern: &str, rule: impl IntoRule<P, M>) -> Result<Self, InvalidValue> {
        self.add(pattern, Requirement::Rule(DynRule::new(rule)))
    }

    /// Adds a rule after the others: for rules from a configuration file.
    ///
    /// # Errors
    /// [`InvalidValue`] if the text is no pattern, or if an earlier pattern matches all its paths, so that it never counts.
    pub fn add(mut self, pattern: &str, requirement: Requirement<P>) -> Result<Self, InvalidValue> {
        let pattern_of_rule = PathPattern::parse(pattern)?;
        if let Some((earlier, _)) = self.0.iter().find(|(earlier, _)| earlier.covers(&pattern_of_rule)) {
            let why = format!(
                "no path reaches this rule, because `{earlier}` before it matches all of its paths: put the rule before \
                 that one, or remove it"
            );
            return Err(InvalidValue::new(why));
        }
        Arc::make_mut(&mut self.0).push((pattern_of_rule, requirement));
        Ok(self)
    }

    /// Whether a visitor who is signed out may have a path, such as that of the sign-in page. Where no pattern matches, a
    /// session is required.
    ///
    /// ```
    /// # use auth_proxy::{auth_proxy, verdict::PathRules};
    /// # auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// let rules = PathRules::<Auth>::new().public("/sign-in")?;
    /// assert!(rules.lets_guests_pass("/sign-in"));
    /// assert!(!rules.lets_guests_pass("/"));
    /// # Ok::<(), auth_proxy::options::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn lets_guests_pass(&self, path: &str) -> bool {
        let required = readings(path).map(|readings| self.requirement(&readings));
        matches!(required, Some(Ok(Requirement::Public | Requirement::Guests)))
    }

    /// What is required for every path: without rules, or if the first one is for `/**`. `None` if it depends on the path.
    pub(super) fn of_every_path(&self) -> Option<&Requirement<P>> {
        match self.0.first() {
            None => Some(&Requirement::Session),
            Some((pattern, requirement)) => pattern.is_everything().then_some(requirement),
        }
    }

    /// What is required for a path with these readings.
    ///
    /// # Errors
    /// `path_ambiguous`.
    pub(super) fn requirement(&self, readings: &[Reading]) -> Result<&Requirement<P>, AuthError> {
        let mut found = readings.iter().map(|reading| self.first(reading));
        let first = found.next().unwrap_or(&Requirement::Session);
        if found.all(|other| first.is_same(other)) {
            return Ok(first);
        }
        let cause = "the readings of the path match different rules";
        Err(AuthError::new(Reason::PATH_AMBIGUOUS).because(cause))
    }

    /// The requirement of the first pattern that matches.
    fn first(&self, reading: &Reading) -> &Requirement<P> {
        let rule = self.0.iter().find(|(pattern, _)| pattern.matches(&reading.segments, reading.folds));
        rule.map_or(&Requirement::Session, |(_, requirement)| requirement)
    }
}

impl<P: AuthProxy> Requirement<P> {
    /// Whether both require the same, as far as that is known of rules.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rule(_), Self::Rule(_)) => std::ptr::eq(self, other),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl<P: AuthProxy> Default for PathRules<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: AuthProxy> Clone for PathRules<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: AuthProxy> fmt::Debug for PathRules<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(pattern, requirement)| (pattern, requirement))).finish()
    }
}

impl<P: AuthProxy> Clone for Requirement<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Public => Self::Public,
            Self::Guests => Self::Guests,
            Self::Session => Self::Session,
            Self::Rule(rule) => Self::Rule(rule.clone()),
        }
    }
}

impl<P: AuthProxy> fmt::Debug for Requirement<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "Public",
            Self::Guests => "Guests",
            Self::Session => "Session",
            Self::Rule(_) => "Rule",
        })
    }
}
