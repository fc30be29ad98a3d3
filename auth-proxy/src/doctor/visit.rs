//! [`Visit`]: sends the requests of a check, all until one deadline.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{COOKIE, ORIGIN};
use http::{HeaderValue, Method, Response};
use tokio::time::Instant;

use crate::dialect::{Question, UNKNOWN};
use crate::error::AuthError;
use crate::provider::Shared;
use crate::upstream::ProbeHost;

/// One check of one upstream.
#[derive(Clone, Copy)]
pub(super) struct Visit<'s> {
    pub(super) shared: &'s Arc<Shared>,
    pub(super) host: ProbeHost,
    pub(super) deadline: Instant,
}

impl Visit<'_> {
    /// Gets a path. It has the base path in it.
    pub(super) async fn get(&self, path: &str) -> Result<Response<Bytes>, AuthError> {
        self.send(Method::GET, path, &[]).await
    }

    /// Asks a question below a base path. Each cookie has a value that no server accepts.
    pub(super) async fn ask(&self, base: &str, question: &Question) -> Result<Response<Bytes>, AuthError> {
        let pairs = question.cookies.iter().map(|name| format!("{name}={UNKNOWN}"));
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        let headers = header(cookies).map(|value| (COOKIE, value)).filter(|(_, value)| !value.is_empty());
        let path = format!("{base}{}", question.path);
        self.send(question.method.clone(), &path, headers.as_slice()).await
    }

    /// Gets a path with this cookie, whose value is kept out of logs.
    pub(super) async fn get_with_cookie(
        &self,
        path: &str,
        cookie: String,
    ) -> Result<Response<Bytes>, AuthError> {
        let cookie = header(cookie).map(|value| (COOKIE, value));
        self.send(Method::GET, path, cookie.as_slice()).await
    }

    /// Posts nothing, as a page of this origin would, with a cookie that no server has.
    pub(super) async fn post_from(&self, path: &str, origin: String) -> Result<Response<Bytes>, AuthError> {
        let headers = [(ORIGIN, header(origin)), (COOKIE, header(format!("{UNKNOWN}=1")))];
        let headers: Vec<_> = headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.send(Method::POST, path, &headers).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(http::HeaderName, HeaderValue)],
    ) -> Result<Response<Bytes>, AuthError> {
        let upstream = &self.shared.upstream;
        let mut request = upstream.probe_request(method, path, self.host)?;
        for (name, value) in headers {
            request.headers_mut().insert(name, value.clone());
        }
        upstream.probe(&request, self.deadline).await
    }
}

fn header(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
