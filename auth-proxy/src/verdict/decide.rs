//! The decision about one request.

use std::sync::Arc;

use http::request::Parts;

use super::builder::Verdict;
use super::headers::IdentityHeader;
use super::identity::Identity;
use super::rules::Requirement;
use crate::cross_origin;
use crate::error::AuthError;
use crate::guard::rule::DynRule;
use crate::guard::{self, GuardRejection, VisitorIdentity};
use crate::provider::AuthProxy;
use crate::warnings::Warning;

impl<P: AuthProxy> Verdict<P> {
    /// Decides about a request that arrived here, for a program that is the reverse proxy itself. The endpoint decides
    /// in the same way about a request that a proxy asks about. The [rules](super::PathRules) hold for the path of `parts`, which
    /// must be forwarded unchanged.
    ///
    /// Forward the request with [`Identity::write_headers`], and wrap the program with
    /// [`session_cookie_layer`](crate::Proxy::session_cookie_layer), which relays renewed session cookies.
    ///
    /// ```
    /// # use auth_proxy::{AuthProxy, guards::GuardRejection, verdict::Verdict};
    /// # use axum::{extract::Request, response::{IntoResponse, Response}};
    /// # async fn send_to_the_app(request: Request) -> Response { unimplemented!() }
    /// async fn forward<P: AuthProxy>(verdict: Verdict<P>, request: Request) -> Result<Response, GuardRejection> {
    ///     let (mut parts, body) = request.into_parts();
    ///     let identity = verdict.decide(&mut parts).await?;
    ///     identity.write_headers(&mut parts.headers);
    ///     Ok(send_to_the_app(Request::from_parts(parts, body)).await)
    /// }
    /// ```
    ///
    /// # Errors
    /// The response to a request that is refused: 401, a redirect to sign in, 403, 400 for an ambiguous path, or 502 to
    /// 504 for an outage.
    pub async fn decide(&self, parts: &mut Parts) -> Result<Identity, GuardRejection> {
        let visitor = match self.requirement(parts) {
            Ok(Requirement::Public) => None,
            Ok(Requirement::Guests) => guard::identify(&self.proxy, parts, None).await?,
            Ok(Requirement::Session) => self.identify(parts, &self.session).await?,
            Ok(Requirement::Rule(rule)) => self.identify(parts, rule).await?,
            Err(error) => return Err(guard::refuse(error, &self.proxy, parts)),
        };
        if visitor.as_ref().is_some_and(|visitor| self.lacks_subject(visitor)) {
            self.proxy.shared().warn_once(Warning::VerdictWithoutSubject);
        }
        Ok(Identity::new(visitor, Arc::clone(&self.headers)))
    }

    async fn identify(
        &self,
        parts: &mut Parts,
        rule: &DynRule<P>,
    ) -> Result<Option<VisitorIdentity>, GuardRejection> {
        guard::identify(&self.proxy, parts, Some(rule)).await
    }

    /// What is required of a request, unless a rule about requests refuses it.
    ///
    /// # Errors
    /// `cross_origin_refused`, `path_ambiguous`.
    fn requirement(&self, parts: &Parts) -> Result<&Requirement<P>, AuthError> {
        if self.refuses_cross_origin {
            cross_origin::check(parts, self.proxy.shared(), &[])?;
        }
        match &self.rules {
            Some(rules) => rules.requirement(parts.uri.path(), &self.otherwise),
            None => Ok(&self.otherwise),
        }
    }

    fn lacks_subject(&self, visitor: &VisitorIdentity) -> bool {
        self.headers.contains(&IdentityHeader::Subject) && visitor.subject.is_none()
    }
}
