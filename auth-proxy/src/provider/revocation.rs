//! Whether a token that was decoded here was revoked, and the revocation of the tokens of a request.

use std::time::Duration;

use auth_proxy_rules::RevocationUnavailable;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::Shared;
use crate::audit::{RevokedWhat, SessionHash};
use crate::cookie::{Candidate, Credential, CredentialError, SessionName, drop_cookies, every_token};
use crate::error::{AuthError, Reason};
use crate::revocation::{Handling, Identity, NameHash, Revocation, Standing};
use crate::session::CachedSession;
use crate::token::{Ended, LogoutToken, Names, Verified};

/// How long a revocation is kept for a session cookie whose cookie cache is read here, in seconds. Better Auth's sessions
/// last 7 days by default, and the cache no longer.
const COOKIE_CACHE: u64 = 30 * 24 * 3600;

/// How long a revocation is kept for tokens without `exp`, in seconds. Browsers keep no cookie longer than 400 days
/// (draft-ietf-httpbis-rfc6265bis, section 5.6.7.2).
const LONGEST: u64 = 400 * 24 * 3600;

/// How much longer than its tokens a revocation is kept, in seconds. A token is accepted until 15 s after its `exp`, and the
/// clocks of the instances and of the upstream may differ.
const MARGIN: u64 = 300;

/// How many tokens of one user are put on the list one by one in [`SIGN_OUT_WINDOW`]. After that, a sign-out ends every
/// session of the user with one entry: a visitor who renews and signs out without end must not fill the list.
const SIGN_OUTS: u64 = 1000;

const SIGN_OUT_WINDOW: Duration = Duration::from_secs(24 * 3600);

/// What a message of the upstream revokes.
pub(crate) enum Revoked {
    Token { hash: [u8; 32] },
    Session { name: String },
    Subject { name: String, issued_before: u64 },
}

impl Revoked {
    /// What the message names.
    pub(crate) fn what(&self) -> RevokedWhat {
        match self {
            Self::Token { .. } => RevokedWhat::Token,
            Self::Session { .. } => RevokedWhat::Session,
            Self::Subject { .. } => RevokedWhat::Subject,
        }
    }
}

impl Shared {
    /// Whether a token that was verified here was revoked. `token` returns its text.
    pub(crate) fn standing<'t>(
        &self,
        verified: &Verified,
        token: impl FnOnce() -> Option<std::borrow::Cow<'t, str>>,
    ) -> Standing {
        let Some(list) = self.sessions.revocations() else { return Standing::Good };
        // Asked before the list is read, since the list may be completed meanwhile.
        let is_complete = self.sessions.knows_revocations();
        let identity = verified.identity(|names| self.identity(names, token().as_deref()));
        match list.standing(identity) {
            Standing::Good if !is_complete => Standing::Unknown,
            standing => standing,
        }
    }

    fn identity(&self, names: &Names, token: Option<&str>) -> Identity {
        let of_token = token.map(|token| self.names_of_token(token));
        let of_session = [&names.jti, &names.sid].into_iter().flatten();
        let all =
            of_token.into_iter().flatten().chain(of_session.map(|name| self.keys.revoked_session(name)));
        let subject = names.sub.as_ref().map(|sub| (self.keys.revoked_subject(sub), names.issued_at()));
        Identity::new(all, subject)
    }

    /// What the list knows a token by, whatever its claims are.
    fn names_of_token(&self, token: &str) -> [NameHash; 2] {
        [self.keys.session(token).revoked(), self.keys.revoked_token(token)]
    }

    /// Whether this proxy finds what a message revokes. The names of sessions and users are in tokens that are decoded
    /// here, and some upstreams name the user in each session.
    pub(crate) fn can_revoke(&self, revoked: &Revoked) -> bool {
        let reads_tokens = self.verifier.is_some() || self.bearer_issuer.is_some();
        match revoked {
            Revoked::Token { .. } => true,
            Revoked::Session { .. } => reads_tokens,
            Revoked::Subject { .. } => reads_tokens || self.dialect.names_user_in_session(),
        }
    }

    /// Whether the list has this token itself. Its session and its user may be on the list all the same.
    pub(crate) fn is_listed(&self, token: &str) -> bool {
        // While nothing is revoked, no hash is computed.
        let list = self.sessions.revocations().filter(|list| !list.is_empty());
        list.is_some_and(|list| self.names_of_token(token).into_iter().any(|name| list.has_name(name)))
    }

    /// The entry for what a message of the upstream revokes. How long its tokens last is not known here, so it is configured.
    pub(crate) fn revocation_of(&self, revoked: &Revoked) -> Revocation {
        let until = self.now().saturating_add(self.settings.keep.as_secs() + MARGIN);
        match revoked {
            Revoked::Token { hash } => Revocation::of_name(self.keys.revoked_hash(hash), until),
            Revoked::Session { name } => Revocation::of_name(self.keys.revoked_session(name), until),
            Revoked::Subject { name, issued_before } => {
                Revocation::of_subject(self.keys.revoked_subject(name), *issued_before, until)
            }
        }
    }

    /// The user and the session of a message of the upstream, for an audit event.
    pub(crate) fn names_of_revoked(&self, revoked: &Revoked) -> (Option<String>, Option<SessionHash>) {
        match revoked {
            Revoked::Token { hash } => (None, Some(SessionHash::new(self.keys.revoked_hash(hash)))),
            // The name is not that of one token.
            Revoked::Session { .. } => (None, None),
            Revoked::Subject { name, .. } => (Some(name.clone()), None),
        }
    }

    /// What a logout token revokes. Keep the second value once the revocation is stored: if it is dropped, the issuer can
    /// send the token again.
    ///
    /// # Errors
    /// `logout_token_malformed` to `logout_token_replayed`, and `keys_unavailable`. `revocation_kind_off` without
    /// `revocation.back_channel`.
    pub(crate) async fn logout(&self, token: &str, now: u64) -> Result<(Revoked, Handling<'_>), AuthError> {
        let Some(back_channel) = &self.back_channel else {
            return Err(AuthError::new(Reason::REVOCATION_KIND_OFF));
        };
        let hash_of = |jti: &str| self.keys.logout_token(jti);
        let (LogoutToken { ended, issued_at, .. }, handling) =
            back_channel.accept(token, now, hash_of).await?;
        let revoked = match ended {
            Ended::Session(name) => Revoked::Session { name },
            // A sign-in after the logout is another session.
            Ended::Subject(name) => Revoked::Subject { name, issued_before: issued_at },
        };
        Ok((revoked, handling))
    }

    /// The tokens of a request that its sign-out revokes. Empty without `session.revocation: store`.
    pub(crate) fn revocable_tokens(&self, headers: &HeaderMap) -> Vec<String> {
        match self.sessions.revocations() {
            Some(_) => every_token(headers, self.names.all().iter().map(|name| name.browser.as_str())),
            None => Vec::new(),
        }
    }

    /// The revocations of these tokens, and of the other tokens of their sessions. A token that does not verify here is
    /// left out: anyone could fill the list with such tokens.
    pub(crate) async fn revocations_of(&self, tokens: &[String]) -> Vec<Revocation> {
        let mut all = Vec::new();
        for token in tokens {
            let names = self.verified_text(token).await.map(|verified| verified.names());
            let is_signed = || self.session_cookies.as_ref().is_some_and(|cookies| cookies.is_signed(token));
            let lasts = match &names {
                // A token that was renewed later expires later, but no later than one that is issued now. The clock of the
                // issuer may be ahead.
                Some(names) => {
                    names.expires().map(|exp| exp.saturating_sub(names.issued_at().min(self.now())))
                }
                None if is_signed() => Some(COOKIE_CACHE),
                None => continue,
            };
            let lasts = lasts.map_or(LONGEST, |lasts| lasts.min(LONGEST));
            let until = self.now().saturating_add(lasts + MARGIN);
            if let Some(user) = names.as_ref().and_then(|names| names.sub.as_ref())
                && self.sign_outs.count(&self.keys.sign_outs(user), SIGN_OUT_WINDOW).count > SIGN_OUTS
            {
                let user = self.keys.revoked_subject(user);
                all.push(Revocation::of_subject(user, self.now().saturating_add(1), until));
                continue;
            }
            let key = self.keys.session(token);
            let linked = self.sessions.linked(key).into_iter().filter(|other| *other != key);
            let keys = std::iter::once(key).chain(linked);
            all.extend(keys.map(|key| Revocation::of_name(key.revoked(), until)));
            let sid = names.and_then(|names| names.sid);
            all.extend(sid.map(|sid| Revocation::of_name(self.keys.revoked_session(&sid), until)));
        }
        all
    }

    /// A token, verified here. `None` if it is not one that is decoded here.
    pub(super) async fn verified_text(&self, token: &str) -> Option<std::sync::Arc<Verified>> {
        self.read_text(token).await.ok().flatten()
    }

    /// A token, verified here. `None` if tokens are not decoded here.
    ///
    /// # Errors
    /// Why the token is refused, or `keys_unavailable`.
    async fn read_text(&self, token: &str) -> Result<Option<std::sync::Arc<Verified>>, AuthError> {
        let value = HeaderValue::from_str(&format!("Bearer {token}"));
        let (Some(_), Ok(mut value)) = (&self.verifier, value) else { return Ok(None) };
        value.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        self.verified(&headers, self.names_of(None)).await
    }

    /// What to do with a session that may be revoked: `session.revocation_unavailable`. `None` while the list is complete, and
    /// without a list. Ask before the list is read, since the list may be completed meanwhile.
    pub(crate) fn when_unknown(&self) -> Option<RevocationUnavailable> {
        let is_unknown = self.sessions.revocations().is_some() && !self.sessions.knows_revocations();
        is_unknown.then_some(self.settings.revocation_unavailable)
    }

    /// Prepares a request for the session that is forwarded to the upstream. A cookie cache that does not count here is
    /// removed: the upstream would answer from it, without its database.
    ///
    /// # Errors
    /// `revocation_unknown` with `refuse`, and `keys_unavailable`.
    pub(crate) async fn prepare_session_request(
        &self,
        headers: &mut HeaderMap,
        when_unknown: Option<RevocationUnavailable>,
    ) -> Result<(), AuthError> {
        if self.sessions.revocations().is_none() {
            return Ok(());
        }
        if when_unknown == Some(RevocationUnavailable::Refuse) {
            self.refuse_decoded(headers).await?;
        }
        let mut unused = Vec::new();
        for name in self.names.all() {
            let Some(session) = self.session_in_cookies(headers, name) else { continue };
            match when_unknown {
                _ if !self.sessions.may_trust_user(&session) => unused.extend(name.companions.cache_name()),
                Some(RevocationUnavailable::Refuse) => {
                    return Err(AuthError::new(Reason::REVOCATION_UNKNOWN));
                }
                Some(RevocationUnavailable::AskUpstream) => unused.extend(name.companions.cache_name()),
                _ => {}
            }
        }
        if !unused.is_empty() {
            drop_cookies(headers, &unused);
        }
        Ok(())
    }

    /// The session in the cookie cache beside the session cookie of this name.
    fn session_in_cookies(&self, headers: &HeaderMap, name: &SessionName) -> Option<CachedSession> {
        self.session_cookies.as_ref()?;
        let candidate = Candidate::of(headers, &[name], self.is_opaque()).ok()??;
        if candidate.is_bearer() {
            return None;
        }
        let credential: Credential = candidate.into_credential(name.companions.read(headers)).ok()?;
        self.session_in_cookie_cache(&credential)
    }

    /// Refuses a request for the session with a token that is decoded here. The upstream would renew a token that may be
    /// revoked, and no revocation would match the new one.
    ///
    /// # Errors
    /// `revocation_unknown`, or `keys_unavailable`.
    async fn refuse_decoded(&self, headers: &HeaderMap) -> Result<(), AuthError> {
        for token in self.revocable_tokens(headers) {
            match self.read_text(&token).await {
                Ok(Some(_)) => return Err(AuthError::new(Reason::REVOCATION_UNKNOWN)),
                Err(error) if error.is_unavailable() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the session cookies and the Bearer token of revoked tokens from a request. The upstream does not know that
    /// they were revoked, and would renew them. A cookie that is no part of the token under its name does not count.
    pub(crate) async fn drop_revoked(&self, headers: &mut HeaderMap) {
        if self.sessions.revocations().is_some_and(|list| !list.is_empty()) {
            // In a box: without revocations, the future of each request is smaller.
            Box::pin(self.drop_listed(headers)).await;
        }
    }

    async fn drop_listed(&self, headers: &mut HeaderMap) {
        let only = |header: HeaderName| {
            let lines = headers.get_all(&header).iter().map(|line| (header.clone(), line.clone()));
            lines.collect::<HeaderMap>()
        };
        let (cookies, bearer) = (only(COOKIE), only(AUTHORIZATION));
        let mut revoked = Vec::new();
        for name in self.names.all() {
            if self.is_revoked(Candidate::of(&cookies, &[name], self.is_opaque())).await {
                revoked.push(name.browser.as_str());
            }
        }
        let is_bearer_revoked =
            self.is_revoked(Candidate::of::<&str, 0>(&bearer, &[], self.is_opaque())).await;
        drop_cookies(headers, &revoked);
        if is_bearer_revoked {
            headers.remove(AUTHORIZATION);
        }
    }

    async fn is_revoked(&self, found: Result<Option<Candidate<'_>>, CredentialError>) -> bool {
        let Ok(Some(candidate)) = found else { return false };
        let Ok(token) = candidate.token() else { return false };
        if self.is_listed(&token) {
            return true;
        }
        let verified = self.verified_text(&token).await;
        verified.is_some_and(|verified| self.standing(&verified, || Some(token)) == Standing::Revoked)
    }
}
