//! The decision about one request.

use std::sync::Arc;

use http::request::Parts;

use super::builder::Verdict;
use super::headers::IdentityHeader;
use super::visitor::Visitor;
use crate::cross_origin;
use crate::extract::VisitorIdentity;
use crate::guard::{self, GuardRejection};
use crate::provider::AuthProxy;
use crate::warnings::Warning;

impl<P: AuthProxy> Verdict<P> {
    /// Decides about a request that arrived here, for a program that is the reverse proxy itself. The endpoint decides
    /// in the same way about a request that a proxy asks about.
    ///
    /// Forward the request with [`Visitor::write_headers`], and wrap the program with
    /// [`session_cookie_layer`](Proxy::session_cookie_layer), which relays renewed session cookies.
    ///
    /// ```
    /// # use auth_proxy::{AuthProxy, guards::GuardRejection, verdict::Verdict};
    /// # use axum::{extract::Request, response::{IntoResponse, Response}};
    /// # async fn send_to_the_app(request: Request) -> Response { unimplemented!() }
    /// async fn forward<P: AuthProxy>(verdict: Verdict<P>, request: Request) -> Result<Response, GuardRejection> {
    ///     let (mut parts, body) = request.into_parts();
    ///     let visitor = verdict.decide(&mut parts).await?;
    ///     visitor.write_headers(&mut parts.headers);
    ///     Ok(send_to_the_app(Request::from_parts(parts, body)).await)
    /// }
    /// ```
    ///
    /// # Errors
    /// The response to a request that is refused: 401, a redirect to sign in, 403, or 502 to 504 for an outage.
    pub async fn decide(&self, parts: &mut Parts) -> Result<Visitor, GuardRejection> {
        let shared = self.proxy.shared();
        if self.refuses_cross_origin
            && let Err(error) = cross_origin::check(parts, shared, &[])
        {
            return Err(guard::refused(error, &self.proxy, parts));
        }
        let identity = guard::visitor(&self.proxy, parts, self.allows_guests).await?;
        if self.lacks_subject(identity.as_ref()) {
            shared.warn_once(Warning::VerdictWithoutSubject);
        }
        Ok(Visitor::new(identity, Arc::clone(&self.headers)))
    }

    fn lacks_subject(&self, identity: Option<&VisitorIdentity>) -> bool {
        self.headers.contains(&IdentityHeader::Subject)
            && identity.is_some_and(|identity| identity.subject.is_none())
    }
}
