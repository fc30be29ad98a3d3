//! The visitors of an app's tests (feature `testing`): what a request answers in place of decoding its token and looking it
//! up. They lie in the request's extensions, which only code of this process fills: nothing that a client sends becomes an
//! extension of this type.
//!
//! A visitor counts only for a request that carries the visitor's token, as with a real one. So it is signed out where a
//! middleware or a handler removes the cookie.

use std::sync::Arc;

use http::{Extensions, HeaderMap};

use crate::cookie::NameIndexes;
use crate::error::AuthError;
use crate::provider::Shared;
use crate::session::CachedSession;
use crate::token::Verified;

/// A visitor of a test, at one proxy.
#[derive(Clone)]
pub(crate) struct TestVisitor {
    /// The proxy that the visitor belongs to.
    pub(crate) shared: Arc<Shared>,
    /// The text of the session token.
    pub(crate) token: Arc<str>,
    pub(crate) known: Result<Known, AuthError>,
}

/// What is known of a visitor who is signed in.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) session: CachedSession,
    pub(crate) token: Arc<Verified>,
    /// Whether the token has claims that the session does not have.
    pub(crate) has_own_claims: bool,
}

/// The visitors of a request: at most one for each proxy of the app.
#[derive(Clone, Default)]
pub(crate) struct TestVisitors(Vec<TestVisitor>);

impl TestVisitor {
    /// Adds the visitor to a request.
    pub(crate) fn insert_into(&self, extensions: &mut Extensions) {
        let TestVisitors(all) = extensions.get_or_insert_default();
        all.retain(|other| !Arc::ptr_eq(&other.shared, &self.shared));
        all.push(self.clone());
    }
}

impl TestVisitors {
    /// The visitors of a request.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// Gives the visitors to another request.
    pub(super) fn insert_into(&self, extensions: &mut Extensions) {
        self.0.iter().for_each(|visitor| visitor.insert_into(extensions));
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the token of a request stands for. `None` unless it is that of a visitor at this proxy.
    pub(super) fn find(
        &self,
        shared: &Arc<Shared>,
        names: NameIndexes,
        headers: &HeaderMap,
    ) -> Option<Answered> {
        let visitor = self.0.iter().find(|visitor| Arc::ptr_eq(&visitor.shared, shared))?;
        let candidate = shared.candidate(headers, shared.names.at(names)).ok()??;
        if *candidate.token().ok()? != *visitor.token {
            return None;
        }
        let known = visitor.known.clone().map_err(|error| error.by_bearer(candidate.is_bearer()));
        // The tokens that an upstream issues beside its sessions are sent as Bearer tokens.
        let is_issued = shared.bearer_issuer.is_some() && candidate.is_bearer();
        let has_own_claims = known.as_ref().is_ok_and(|known| known.has_own_claims);
        Some(Answered { known, is_decoded: shared.verifier.is_some() || (is_issued && has_own_claims) })
    }
}

/// What the token of a visitor stands for.
pub(super) struct Answered {
    known: Result<Known, AuthError>,
    is_decoded: bool,
}

impl Answered {
    pub(super) fn session(&self) -> Result<Option<CachedSession>, AuthError> {
        self.known.clone().map(|known| Some(known.session))
    }

    /// What the token decodes to. `None` if it is not decoded here.
    pub(super) fn verified(&self) -> Option<Result<Option<Arc<Verified>>, AuthError>> {
        self.is_decoded.then(|| self.known.clone().map(|known| Some(known.token)))
    }
}
