//! Where requests go: the configured origin, prefix and base path, and the rest of the path as it came.

use auth_proxy_rules::Settings;
use axum::body::Body;
use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{Request, Uri};

use crate::error::{AuthError, BoxError, Reason};

/// The configured part of every address.
pub(super) struct Address {
    scheme: Scheme,
    authority: Authority,
    /// What every path at the upstream begins with.
    base: String,
}

impl Address {
    pub(super) fn new(settings: &Settings) -> Result<Self, BoxError> {
        let base_url = &settings.base_url;
        Ok(Self {
            scheme: if base_url.origin.https { Scheme::HTTPS } else { Scheme::HTTP },
            authority: base_url.origin.authority.parse()?,
            base: format!("{}{}", base_url.prefix, settings.upstream_base_path),
        })
    }

    /// The target of a request for `requested`, of which `rest` (empty or `/..`) is below the base path: configured
    /// origin, prefix and base path, then the rest and the query, byte for byte.
    ///
    /// # Errors
    /// `path_invalid` when the parts do not make a URI. `rest` must have been checked before: it has no dot
    /// segments here.
    pub(super) fn target(&self, requested: &Uri, rest: &str) -> Result<Uri, AuthError> {
        let is_same = requested.path().strip_suffix(rest) == Some(&self.base);
        match requested.path_and_query().filter(|_| is_same) {
            Some(same) => self.uri(same.clone()),
            None => {
                let query = requested.query().map_or(String::new(), |query| format!("?{query}"));
                self.uri(self.path(&format!("{rest}{query}"))?)
            }
        }
    }

    /// A `GET` of a path below the base path, without headers.
    ///
    /// # Errors
    /// `path_invalid` when it does not make a URI.
    pub(super) fn get(&self, path: &str) -> Result<Request<Body>, AuthError> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.uri(self.path(path)?)?;
        Ok(request)
    }

    fn path(&self, rest: &str) -> Result<PathAndQuery, AuthError> {
        let path = format!("{}{rest}", self.base);
        PathAndQuery::try_from(path).map_err(|error| AuthError::new(Reason::PATH_INVALID).because(error))
    }

    fn uri(&self, path: PathAndQuery) -> Result<Uri, AuthError> {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).map_err(|error| AuthError::new(Reason::PATH_INVALID).because(error))
    }
}
