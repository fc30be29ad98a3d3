//! The signed-in visitor that a rule decides about.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use serde_json::{Map, Value};

use super::Decision;
use crate::dialect::RawSession;
use crate::error::AuthError;
use crate::extract::{RequestAuth, Session, Token};
use crate::guard::original_uri::original_uri;
use crate::provider::{AuthProxy, Proxy};
use crate::session::{CachedSession, mapping};
use crate::token::Verified;
use crate::warnings::Warning;

/// A signed-in visitor and the request, for a [`Rule`](super::Rule).
///
/// ```
/// # use auth_proxy::auth_proxy;
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// use auth_proxy::rules::{Decision, Rule, Visitor};
///
/// /// Visitors who are not verified may read.
/// struct VerifiedToWrite;
///
/// impl Rule<Auth> for VerifiedToWrite {
///     async fn check(&self, visitor: &Visitor<'_, Auth>) -> Decision {
///         let is_verified = visitor.session().user.extra.get("emailVerified").is_some_and(|is| is == true);
///         Decision::from(visitor.method().is_safe() || is_verified)
///     }
/// }
/// ```
pub struct Visitor<'r, P: AuthProxy> {
    parts: &'r Parts,
    session: Session<P>,
    cached: CachedSession,
    /// The session as the upstream sent it, read on first use.
    raw: OnceLock<Arc<RawSession>>,
    /// The token that was verified here. `None` if tokens are not decoded here.
    verified: Result<Option<Arc<Verified>>, AuthError>,
    /// The claims of that token in the app's type.
    token: Result<Option<Token<P>>, AuthError>,
    /// All its claims, read on first use.
    claims: OnceLock<Map<String, Value>>,
    proxy: Proxy<P>,
}

impl<'r, P: AuthProxy> Visitor<'r, P> {
    /// The visitor of a request. `None`: signed out.
    ///
    /// # Errors
    /// Those of the lookup of the session.
    pub(in crate::guard) async fn of(request: &RequestAuth<'r, P>) -> Result<Option<Self>, AuthError> {
        // A guard always has the whole request.
        let Some(parts) = request.parts() else { return Ok(None) };
        let Some((session, cached)) = request.session_and_raw().await? else { return Ok(None) };
        let verified = request.own_claims().await;
        let token = match &verified {
            Ok(Some(verified)) => verified.claims().map(|claims| Some(Token::new(claims))),
            Ok(None) => Ok(None),
            Err(error) => Err(error.clone()),
        };
        let (raw, claims, proxy) = (OnceLock::new(), OnceLock::new(), request.proxy().clone());
        Ok(Some(Self { parts, session, cached, raw, verified, token, claims, proxy }))
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session<P> {
        &self.session
    }

    /// The claims of the session token, if tokens are decoded here and this one is valid.
    #[must_use]
    pub fn token(&self) -> Option<&Token<P>> {
        self.token.as_ref().ok().and_then(Option::as_ref)
    }

    /// The method of the request.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The URI of the request, as it was sent: also in a nested router.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        original_uri(self.parts)
    }

    /// The headers of the request. They are the client's: a rule must not take a permission from them.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// When the visitor signed in: the oldest of the claim `auth_time` (OpenID Connect Core 1.0, section 2), the field
    /// `auth_time` of the session, and the time at which Better Auth made the session. `None` if nothing says so, and
    /// while an admin impersonates the user.
    #[must_use]
    pub fn signed_in_at(&self) -> Option<SystemTime> {
        match self.sign_in_time() {
            Fact::Known(at) => UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(at).ok()?),
            _ => None,
        }
    }

    /// [`signed_in_at`](Self::signed_in_at) in whole seconds since the Unix epoch.
    pub(in crate::guard) fn signed_in_seconds(&self) -> Option<u64> {
        self.signed_in_at()?.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
    }

    /// [`signed_in_at`](Self::signed_in_at) in seconds since the Unix epoch, or why it is not known.
    pub(super) fn sign_in_time(&self) -> Fact<f64> {
        // The time of an impersonated session is not a time at which the user proved who they are.
        if self.session.is_impersonated() {
            return Fact::Unknown;
        }
        let claims = self.claims();
        let raw = self.raw();
        let maps =
            [self.details(), Some(&raw.user), Some(&raw.extra), claims.as_ref().ok().copied().flatten()];
        let named = maps.into_iter().flatten().filter_map(|map| map.get("auth_time"));
        let mut oldest = None;
        for at in named.chain(self.proxy.shared().dialect.signed_in_at(raw)).map(seconds) {
            let Some(at) = at else { return Fact::Unknown };
            oldest = Some(oldest.map_or(at, |oldest: f64| oldest.min(at)));
        }
        match (oldest, claims) {
            (Some(at), _) => Fact::Known(at),
            (None, Err(error)) => Fact::unreadable(&error),
            (None, Ok(_)) => Fact::Unknown,
        }
    }

    /// The id of the user: that of the session, else the `sub` of the token. `None` if neither tells it.
    ///
    /// An email address is not one: it may be given to another user later.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        let raw = self.raw();
        let of_session = mapping::subject(self.proxy.shared().dialect, raw);
        let of_token = || {
            let verified = self.verified.as_ref().ok()?.as_ref()?;
            verified.names().sub.filter(|sub| !sub.is_empty())
        };
        of_session.filter(|id| !id.is_empty()).or_else(of_token)
    }

    /// A text of the user, as the upstream sent it.
    pub(in crate::guard) fn text(&self, field: &str) -> Option<String> {
        let text = self.raw().user.get(field)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Seconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.proxy.shared().now()
    }

    /// Logs once what makes the time of the sign-in known.
    pub(super) fn warn_sign_in_time_unknown(&self) {
        let shared = self.proxy.shared();
        shared
            .warn_once_with(Warning::SignInTimeUnknown, || shared.dialect.sign_in_time_setting().to_owned());
    }

    /// Reads a fact. The session counts, as the upstream sent it. Only where it has none of the fields, the claims count:
    /// a token may be older than the session.
    pub(super) fn fact<T>(&self, read: impl Fn(&Map<String, Value>) -> Option<Fact<T>>) -> Fact<T> {
        let raw = self.raw();
        let of_session =
            [self.details(), Some(&raw.user), Some(&raw.extra)].into_iter().flatten().find_map(&read);
        match (of_session, self.claims()) {
            (Some(fact), _) => fact,
            (None, Ok(claims)) => claims.and_then(read).unwrap_or(Fact::Unknown),
            (None, Err(error)) => Fact::unreadable(&error),
        }
    }

    /// The session as the upstream sent it.
    fn raw(&self) -> &RawSession {
        self.raw.get_or_init(|| self.cached.raw())
    }

    /// What the upstream says of the session itself, in its field `session`.
    fn details(&self) -> Option<&Map<String, Value>> {
        self.raw().extra.get("session")?.as_object()
    }

    /// The claims of the verified token. `None` if tokens are not decoded here.
    fn claims(&self) -> Result<Option<&Map<String, Value>>, AuthError> {
        match &self.verified {
            Ok(None) => Ok(None),
            Ok(Some(verified)) => match self.claims.get() {
                Some(claims) => Ok(Some(claims)),
                None => {
                    let claims = verified.claims_as_map()?;
                    Ok(Some(self.claims.get_or_init(|| claims)))
                }
            },
            Err(error) => Err(error.clone()),
        }
    }

    /// The decision of a policy or a function, which gets no token if the token cannot be read.
    pub(in crate::guard) fn decided(&self, decision: impl Into<Decision>) -> Decision {
        match decision.into() {
            Decision::Refuse => self.refusal(),
            decision => decision,
        }
    }

    /// What a rule's "no" is worth that may have read the token. It is certain only if the token could be read.
    pub(super) fn refusal(&self) -> Decision {
        match self.verified.as_ref().err().or(self.token.as_ref().err()) {
            None => Decision::Refuse,
            Some(error) if error.is_unavailable() => Decision::Unavailable(error.clone()),
            Some(_) => Decision::Unknown,
        }
    }
}

/// Shows nothing about the user.
impl<P: AuthProxy> fmt::Debug for Visitor<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor").field("method", self.method()).finish_non_exhaustive()
    }
}

/// What is known of a visitor.
#[derive(Clone, Debug)]
pub(super) enum Fact<T> {
    Known(T),
    /// Nothing says so, or not in a way that can be read.
    Unknown,
    /// It stands in a token that cannot be verified now.
    Unavailable(AuthError),
}

impl<T> Fact<T> {
    /// A fact in a token with this error.
    fn unreadable(error: &AuthError) -> Self {
        if error.is_unavailable() { Self::Unavailable(error.clone()) } else { Self::Unknown }
    }
}

/// A time in seconds since the Unix epoch: a number, or a date as Better Auth writes it.
fn seconds(at: &Value) -> Option<f64> {
    match at {
        Value::Number(number) => number.as_f64().filter(|at| at.is_finite() && *at > 0.0),
        Value::String(date) => humantime::parse_rfc3339(date)
            .ok()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
            .map(|since| since.as_secs_f64()),
        _ => None,
    }
}
