//! Builds upstream URLs: the configured origin, prefix and base path, then the rest of the client's path unchanged.

use auth_proxy_rules::Settings;
use axum::body::Body;
use http::uri::{Authority, InvalidUri, Parts, PathAndQuery, Scheme};
use http::{Request, Uri};

use crate::error::{AuthError, BoxError, Reason};

/// The configured part of every upstream URL.
pub(super) struct Address {
    scheme: Scheme,
    authority: Authority,
    /// The prefix and base path with which every path begins.
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

    /// The URL at the upstream for a client's request: the configured origin, prefix and base path, then `rest` and the
    /// query byte for byte. `requested` is the request's URI; `rest` (empty or `/..`) is the part of its path below the
    /// base path. The caller has checked that `rest` has no dot segments.
    ///
    /// # Errors
    /// `path_invalid` when the parts do not form a URI.
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

    /// A `GET` request for a path below the base path, without headers.
    ///
    /// # Errors
    /// `path_invalid` when the path does not form a URI.
    pub(super) fn get(&self, path: &str) -> Result<Request<Body>, AuthError> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.uri(self.path(path)?)?;
        Ok(request)
    }

    /// The URL of a path of the upstream's origin.
    ///
    /// # Errors
    /// `path_invalid` when the path does not form a URI.
    pub(super) fn at(&self, path: &str) -> Result<Uri, AuthError> {
        self.uri(
            path.parse().map_err(|error: InvalidUri| AuthError::new(Reason::PATH_INVALID).because(error))?,
        )
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
