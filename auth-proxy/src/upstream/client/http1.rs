//! The built-in HTTP/1.1 client: sends a request on a pooled or new connection, in the task of the request.

use std::time::Duration;

use auth_proxy_rules::BaseUrl;
use axum::body::Body;
use http::header::{Entry, HOST};
use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http1;

use super::connect::Connector;
use super::connection::{Connection, Unanswered};
use super::pools::Pools;
use super::response_body::ResponseBody;
use crate::error::BoxError;
use crate::upstream::error::{SendFailure, Sent, classify};

/// The built-in client.
pub(in crate::upstream) struct Http1Client {
    connector: Connector,
    host: HeaderValue,
    pools: Pools,
}

impl Http1Client {
    pub(in crate::upstream) fn new(server: &BaseUrl, connect_timeout: Duration) -> Result<Self, BoxError> {
        Ok(Self {
            connector: Connector::new(server, connect_timeout)?,
            host: server.origin.authority.parse()?,
            pools: Pools::default(),
        })
    }

    /// Sends a request that asks for another protocol, on a connection of its own. After status 101 the connection is
    /// taken with [`hyper::upgrade::on`].
    pub(in crate::upstream) async fn upgrade(
        &self,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, BoxError> {
        self.complete(&mut request);
        let (mut sender, driver) = http1::handshake(self.connector.connect().await?).await?;
        // hyper hands the connection over in this task.
        tokio::spawn(driver.with_upgrades());
        Ok(sender.send_request(request).await?)
    }

    /// The request target for an origin server is a path (RFC 9112, section 3.2.1). `Host` is required.
    fn complete(&self, request: &mut Request<Body>) {
        if let Some(path) = request.uri().path_and_query().cloned() {
            *request.uri_mut() = Uri::from(path);
        }
        if let Entry::Vacant(host) = request.headers_mut().entry(HOST) {
            host.insert(self.host.clone());
        }
    }

    /// Sends a request, on an idle connection if there is one. A body of `None` is empty.
    ///
    /// If the upstream closed the idle connection, sending fails before anything is written. Only then the request is
    /// sent again, on another connection.
    pub(in crate::upstream) async fn send(
        &self,
        mut request: Request<Body>,
    ) -> Result<Response<Option<ResponseBody>>, SendFailure> {
        self.complete(&mut request);
        let pool = self.pools.current();
        loop {
            let (connection, is_new) = match pool.take() {
                Some(connection) => (connection, false),
                // In a box, since few requests open a connection: the future of every request would be 3 KiB larger.
                None => (Box::pin(self.open()).await.map_err(classify)?, true),
            };
            match connection.exchange(request).await {
                Ok((response, connection)) => {
                    return Ok(response.map(|body| ResponseBody::new(body, connection, &pool)));
                }
                Err(Unanswered { unwritten: Some(unwritten), .. }) if !is_new => request = *unwritten,
                Err(Unanswered { error, unwritten }) => {
                    let failure = classify(error.into());
                    let sent = if unwritten.is_some() { Sent::Nothing } else { failure.sent };
                    return Err(SendFailure { sent, ..failure });
                }
            }
        }
    }

    async fn open(&self) -> Result<Connection, BoxError> {
        let stream = self.connector.connect().await?;
        Ok(Connection::open(stream).await?)
    }
}
