use std::sync::Arc;

use auth_proxy_rules::Origin;
use axum::body::Body;
use http::header::{Entry, HOST};
use http::{HeaderValue, Request, Response, Uri};
use hyper::client::conn::http1;
use hyper_util::client::legacy::connect::HttpConnector;
use tower::Service as _;

use super::exchange::{Answer, Failed, exchange};
use super::pool::{Connection, Pool};
use crate::error::BoxError;
use crate::upstream::error::{ConnectFailed, Failure, classify};

/// HTTP/1.1 over plain TCP, to one upstream, on connections that the task of a request drives itself.
///
/// hyper's own client gives each connection a task, to which every request is handed over and back: two
/// wake-ups and several allocations more for each, a twentieth of what a proxied request costs.
pub(in crate::upstream) struct Direct {
    connector: HttpConnector,
    origin: Uri,
    host: HeaderValue,
    pool: Arc<Pool>,
}

impl Direct {
    pub(super) fn new(connector: HttpConnector, origin: &Origin) -> Result<Self, BoxError> {
        Ok(Self {
            connector,
            origin: origin.to_string().parse()?,
            host: origin.authority.parse()?,
            pool: Arc::default(),
        })
    }

    async fn connect(&self) -> Result<Connection, BoxError> {
        let failed = |error: BoxError| -> BoxError { ConnectFailed(error).into() };
        let stream =
            self.connector.clone().call(self.origin.clone()).await.map_err(|error| failed(error.into()))?;
        let (sender, driver) = http1::handshake(stream).await?;
        Ok(Connection::new(sender, driver))
    }
}

impl Direct {
    /// Sends a request; no body is an empty one. Gives it back when there was no connection to send it on.
    pub(in crate::upstream) async fn send(
        &self,
        mut request: Request<Body>,
    ) -> Result<Response<Option<Answer>>, Failure> {
        // A server, unlike a proxy, is asked for a path (RFC 9112, section 3.2.1), and needs a host.
        if let Some(path) = request.uri().path_and_query().cloned() {
            *request.uri_mut() = Uri::from(path);
        }
        if let Entry::Vacant(host) = request.headers_mut().entry(HOST) {
            host.insert(self.host.clone());
        }
        loop {
            let (connection, is_new) = match self.pool.take() {
                Some(connection) => (connection, false),
                None => match self.connect().await {
                    Ok(connection) => (connection, true),
                    Err(error) => {
                        return Err(Failure { request: Some(Box::new(request)), ..classify(error) });
                    }
                },
            };
            match exchange(connection, request).await {
                Ok((response, connection)) => {
                    return Ok(response.map(|body| Answer::of(body, connection, &self.pool)));
                }
                // The upstream closed it while it lay unused. Nothing of the request was written, so that
                // it may go out on another.
                Err(Failed { unsent: Some(unsent), .. }) if !is_new => request = *unsent,
                Err(Failed { error, unsent }) => {
                    return Err(Failure { request: unsent, ..classify(error.into()) });
                }
            }
        }
    }
}
