use std::sync::Arc;

use auth_proxy_rules::{Host, Settings};
use axum::body::Body;
use http::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use super::IDLE;
use crate::error::BoxError;
use crate::upstream::Fetch;

/// hyper's client with its pool, over TLS.
pub(super) struct Pooled(Client<HttpsConnector<HttpConnector>, Body>);

impl Pooled {
    pub(super) fn new(mut tcp: HttpConnector, settings: &Settings) -> Result<Self, BoxError> {
        tcp.enforce_http(false);
        let https = HttpsConnectorBuilder::new().with_tls_config(tls()?).https_only();
        // HTTP/2 takes `:authority` from the URI, so that only HTTP/1.1 can carry another Host.
        let https = if settings.host == Host::Upstream {
            https.enable_all_versions().wrap_connector(tcp)
        } else {
            https.enable_http1().wrap_connector(tcp)
        };
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
        Ok(Self(client.build(https)))
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

impl Fetch for Pooled {
    async fn fetch(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        Ok(self.0.request(request).await?.map(Body::new))
    }
}
