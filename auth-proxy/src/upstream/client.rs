use std::sync::Arc;
use std::time::Duration;

use auth_proxy_rules::{Host, Settings};
use axum::body::Body;
use http::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use super::Fetch;
use crate::error::BoxError;

/// How long a connection may lie unused. Node closes its own after 5 s (`server.keepAliveTimeout`), and a
/// request that meets the close half-way is lost.
const IDLE: Duration = Duration::from_secs(4);

/// The client of a proxy, unless it is given another: hyper's, with a pool of connections. It follows no
/// redirects, decodes no bodies, keeps no cookies and uses no system proxy.
pub(super) struct Hyper(Connector);

/// Plain http needs no certificates: an image without any can talk to an internal upstream.
enum Connector {
    Http(Client<HttpConnector, Body>),
    Https(Client<HttpsConnector<HttpConnector>, Body>),
}

impl Hyper {
    pub(super) fn new(settings: &Settings) -> Result<Self, BoxError> {
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(settings.connect_timeout));
        tcp.set_nodelay(true);
        if !settings.base_url.origin.https {
            return Ok(Self(Connector::Http(client.build(tcp))));
        }
        tcp.enforce_http(false);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls()?).https_only();
        // HTTP/2 takes `:authority` from the URI, so that only HTTP/1.1 can carry another Host.
        let https = if settings.host == Host::Upstream {
            https.enable_all_versions().wrap_connector(tcp)
        } else {
            https.enable_http1().wrap_connector(tcp)
        };
        Ok(Self(Connector::Https(client.build(https))))
    }
}

/// The certificates that the operating system trusts. The provider is named, since the process may have
/// none, or another, as its default.
fn tls() -> Result<ClientConfig, BoxError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?;
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(config.with_no_client_auth())
}

impl Fetch for Hyper {
    async fn fetch(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let response = match &self.0 {
            Connector::Http(client) => client.request(request).await?,
            Connector::Https(client) => client.request(request).await?,
        };
        Ok(response.map(Body::new))
    }
}
