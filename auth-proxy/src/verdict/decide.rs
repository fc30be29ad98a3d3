//! The decision about one request.

use std::sync::Arc;

use auth_proxy_rules::is_below;
use http::request::Parts;

use super::builder::Verdict;
use super::headers::IdentityHeader;
use super::identity::Identity;
use super::reading::{Reading, has_dot_segment, readings, resolved};
use super::rules::Requirement;
use crate::cross_origin;
use crate::error::{AuthError, Reason};
use crate::guard::rule::SignedIn;
use crate::guard::{self, GuardRejection, VisitorIdentity};
use crate::provider::AuthProxy;
use crate::warnings::Warning;

/// Why a path has no reading at all.
const DANGEROUS: &str = "the path has a dot segment, an empty segment, a backslash, a control character, a character outside \
                         of ASCII, or an escape that is broken or repeated";

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
        self.decide_about(parts, false).await
    }

    /// As [`decide`](Self::decide). With `refuses_dots`, a path with a dot segment is refused without rules too.
    pub(super) async fn decide_about(
        &self,
        parts: &mut Parts,
        refuses_dots: bool,
    ) -> Result<Identity, GuardRejection> {
        let shared = self.proxy.shared();
        if self.refuses_cross_origin
            && let Err(error) = cross_origin::check(parts, shared, &[])
        {
            shared.audit.cross_origin_refused(|| shared.about(parts));
            return Err(GuardRejection::new(error, parts, shared));
        }
        let visitor = match self.requirement(parts.uri.path(), refuses_dots) {
            Ok(Requirement::Public) => None,
            Ok(Requirement::Guests) => guard::identify(&self.proxy, parts, None::<&SignedIn>).await?,
            Ok(Requirement::Session) => guard::identify(&self.proxy, parts, Some(&SignedIn)).await?,
            Ok(Requirement::Rule(rule)) => guard::identify(&self.proxy, parts, Some(rule)).await?,
            Err(error) => {
                shared.audit.guard_decided(Some(&error), || shared.about(parts));
                return Err(GuardRejection::new(error, parts, shared));
            }
        };
        if visitor.as_ref().is_some_and(|visitor| self.lacks_subject(visitor)) {
            shared.warn_once(Warning::VerdictWithoutSubject);
        }
        let token = visitor.as_ref().zip(self.token.as_ref());
        let token = token.and_then(|(visitor, token)| token.sign(visitor, &self.headers, shared.now()));
        Ok(Identity::new(visitor, Arc::clone(&self.headers), token))
    }

    /// What is required for a raw path.
    ///
    /// # Errors
    /// `path_ambiguous`.
    fn requirement(&self, path: &str, refuses_dots: bool) -> Result<&Requirement<P>, AuthError> {
        let ambiguous = |cause: &'static str| AuthError::new(Reason::PATH_AMBIGUOUS).because(cause);
        let Some(readings) = readings(path) else {
            let is_refused = (refuses_dots && has_dot_segment(path))
                || self.is_hidden_sign_in_route(path, &[resolved(path)]);
            let required = self.rules.of_every_path().filter(|_| !is_refused);
            return required.ok_or_else(|| ambiguous(DANGEROUS));
        };
        if self.is_hidden_sign_in_route(path, &readings) {
            return Err(ambiguous("some servers read it as a sign-in route"));
        }
        self.rules.requirement(&readings)
    }

    /// Whether some server reads a path as that of a sign-in route, which it is not for the routers here: they compare bytes.
    /// If the service is the login server too, as with `@auth/express`, it would sign visitors in without the limit and the
    /// filter of the sign-in routes.
    fn is_hidden_sign_in_route(&self, path: &str, readings: &[Reading]) -> bool {
        let settings = &self.proxy.shared().settings;
        let is_hidden =
            |base: &str| !is_below(path, base) && readings.iter().any(|reading| reading.is_at(base));
        settings.has_sign_in() && settings.bases().any(is_hidden)
    }

    fn lacks_subject(&self, visitor: &VisitorIdentity) -> bool {
        let is_told = self.token.is_some() || self.headers.contains(&IdentityHeader::Subject);
        is_told && visitor.subject.is_none()
    }
}
