//! Finds the session token of a request in its cookies and its `Authorization` header, and decodes it with the secret.

use std::sync::Arc;

use http::HeaderMap;
use http::header::COOKIE;
use http::request::Parts;

use super::{Shared, TokenVerifier};
use crate::config::Strategy;
use crate::cookie::{Candidate, Credential, CredentialError, NamesInPlay, SessionName, drop_cookies};
use crate::dialect;
use crate::error::{AuthError, Reason};
use crate::forwarded::ClientInfo;
use crate::session::CachedSession;
use crate::telemetry::Verification;
use crate::token::Verified;
use crate::warnings::{Warning, other_prefix};

impl Shared {
    /// Whether session tokens are database keys, which are never split into chunks.
    pub(crate) fn is_opaque(&self) -> bool {
        self.settings.strategy == Strategy::Database
    }

    /// The names that the session cookie may have in a request.
    pub(crate) fn names_of(&self, parts: Option<&Parts>) -> NamesInPlay<'_> {
        let https = parts
            .filter(|_| self.names.depend_on_scheme())
            .and_then(|parts| ClientInfo::scheme(parts, &self.settings));
        self.names.in_play(https)
    }

    /// The session token of a request. The session, the claims, the policy and the cache all use this one.
    ///
    /// # Errors
    /// `token_too_large`, `bearer_malformed`, `token_ambiguous`.
    pub(crate) fn candidate<'h>(
        &self,
        headers: &'h HeaderMap,
        names: NamesInPlay<'_>,
    ) -> Result<Option<Candidate<'h>>, AuthError> {
        let opaque = self.is_opaque();
        let found = names.find(headers, opaque)?;
        if names.is_scheme_unknown() {
            let under_name = |name: &SessionName| Candidate::of(headers, &[name], opaque).ok().flatten();
            let is_cookie = |found: &Candidate<'_>| !found.is_bearer();
            let cookies =
                names.iter().filter(|name| under_name(name).is_some_and(|found| is_cookie(&found))).count();
            // Another scheme, such as `Basic`, is no session token.
            let has_bearer = !matches!(Candidate::of::<&str, 0>(headers, &[], opaque), Ok(None));
            if cookies + usize::from(has_bearer) > 1 {
                return Err(CredentialError::Ambiguous.into());
            }
        }
        // Beside an issuer of tokens, the session cookies of a login are another proxy's.
        if found.is_none()
            && self.settings.has_sign_in()
            && !self.warnings.was_logged(Warning::OtherCookieName)
        {
            self.warn_of_another_name(headers);
        }
        Ok(found)
    }

    /// Removes the session cookies and the cookies that belong to them, for a server that does not need them.
    pub(crate) fn drop_session_cookies(&self, headers: &mut HeaderMap) {
        let names: Vec<&str> = self.names.all().iter().flat_map(SessionName::in_browser).collect();
        drop_cookies(headers, &names);
    }

    /// Warns when a session cookie was sent under another name than the configured one.
    fn warn_of_another_name(&self, headers: &HeaderMap) {
        if !headers.contains_key(COOKIE) {
            return;
        }
        let own = |other: &str| self.names.all().iter().any(|name| name.browser == other);
        let known = dialect::COOKIES.map(str::to_owned);
        let named = self.names.all().iter().map(|name| other_prefix(&name.upstream));
        let all = named.chain(known.iter().cloned()).chain(known.iter().map(|name| other_prefix(name)));
        for other in all.filter(|other| !own(other)) {
            if Candidate::of(headers, &[&other], false)
                .is_ok_and(|found| found.is_some_and(|found| !found.is_bearer()))
            {
                return self.warn_other_cookie_name(&other);
            }
        }
    }

    /// Refuses a session cookie that no configured secret signed, so that it costs no lookup.
    ///
    /// # Errors
    /// `token_tampered`.
    pub(crate) fn check_signature(&self, credential: &Credential) -> Result<(), AuthError> {
        if self.session_cookies.as_ref().is_none_or(|cookies| cookies.is_plausible(credential)) {
            return Ok(());
        }
        if !credential.is_bearer() {
            self.warn_once(Warning::SignatureUnknown);
        }
        Err(AuthError::new(Reason::TOKEN_TAMPERED).by_bearer(credential.is_bearer()))
    }

    /// The session in the cookie cache that came with a credential. `None` if it cannot be used: the upstream must be
    /// asked then. As at the upstream, a session that was ended stays valid until its copy expires.
    pub(crate) fn session_in_cookie_cache(&self, credential: &Credential) -> Option<CachedSession> {
        let session_cookies = self.session_cookies.as_ref()?;
        let now_ms = self.now_ms();
        let (data, written_ms) = session_cookies.cached(credential, now_ms)?;
        Some(CachedSession::copied(self.dialect.session_of_cache(data)?, written_ms, now_ms))
    }

    /// Decrypts or verifies the token in these headers. Call it only if tokens are decoded here. It waits only where the
    /// keys of an issuer have to be fetched.
    ///
    /// # Errors
    /// The error of an invalid token, and `keys_unavailable`.
    pub(crate) async fn verified(
        &self,
        headers: &HeaderMap,
        names: NamesInPlay<'_>,
    ) -> Result<Option<Arc<Verified>>, AuthError> {
        let Some(verifier) = &self.verifier else {
            // Unreachable: the rules refuse a configuration that decodes tokens without a secret.
            return Err(AuthError::new(Reason::TOKEN_UNSUPPORTED));
        };
        let Some(candidate) = self.candidate(headers, names)? else { return Ok(None) };
        let verification = Verification::begin();
        let verified = match verifier {
            TokenVerifier::Own(verifier) => {
                verifier.verify(&candidate, names, self.now()).inspect_err(|error| {
                    if error.is(Reason::TOKEN_UNKNOWN_KEY) {
                        self.warn_unknown_key();
                    }
                })
            }
            TokenVerifier::Published(issuer) => issuer.verify(&candidate, self.now()).await,
        };
        end(verification, &verified);
        verified.map(Some).map_err(|error| error.by_bearer(candidate.is_bearer()))
    }

    /// The token of a request, verified, if the upstream issued it beside its sessions: a JWT in `Authorization`. The
    /// session cookie has at most one dot.
    ///
    /// # Errors
    /// The error of an invalid token, and `keys_unavailable`.
    pub(crate) async fn issued(
        &self,
        headers: &HeaderMap,
        names: NamesInPlay<'_>,
    ) -> Result<Option<Arc<Verified>>, AuthError> {
        let Some(issuer) = &self.bearer_issuer else { return Ok(None) };
        let Some(candidate) = self.candidate(headers, names)? else { return Ok(None) };
        if !candidate.is_bearer() || candidate.token()?.split('.').count() != 3 {
            return Ok(None);
        }
        let verification = Verification::begin();
        let verified = issuer.verify(&candidate, self.now()).await;
        end(verification, &verified);
        verified.map(Some).map_err(|error| error.by_bearer(true))
    }
}

/// Ends the span of a verification.
fn end(verification: Verification, verified: &Result<Arc<Verified>, AuthError>) {
    match verified {
        Ok(_) => verification.end("present", None),
        Err(error) => verification.end(error.outcome().name(), Some(error.code())),
    }
}
