//! Opens connections to the upstream: TCP, and TLS for an https address.

use std::sync::Arc;
use std::time::Duration;

use auth_proxy_rules::Origin;
use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::Service as _;

use crate::error::BoxError;
use crate::upstream::error::ConnectFailed;

pub(super) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Opens connections to one origin.
pub(super) struct Connector {
    transport: Transport,
    origin: Uri,
    /// `upstream.connect_timeout`.
    limit: Duration,
}

/// `Plain` loads no certificates, so that it works in a container without any.
enum Transport {
    Plain(HttpConnector),
    Tls(HttpsConnector<HttpConnector>),
}

impl Connector {
    pub(super) fn new(origin: &Origin, limit: Duration) -> Result<Self, BoxError> {
        let mut tcp = HttpConnector::new();
        // hyper-util divides this time among the addresses of a host name, so that all of them are tried.
        tcp.set_connect_timeout(Some(limit));
        tcp.set_nodelay(true);
        let transport = if origin.https {
            tcp.enforce_http(false);
            let mut tls = HttpsConnector::from((tcp, tls_config()?));
            tls.enforce_https();
            Transport::Tls(tls)
        } else {
            Transport::Plain(tcp)
        };
        Ok(Self { transport, origin: origin.to_string().parse()?, limit })
    }

    /// Opens a connection, with its TLS handshake, within `upstream.connect_timeout`.
    pub(super) async fn connect(&self) -> Result<Stream, ConnectFailed> {
        let connecting = async {
            let origin = self.origin.clone();
            match &self.transport {
                Transport::Plain(tcp) => {
                    let stream =
                        tcp.clone().call(origin).await.map_err(|error| ConnectFailed(error.into()))?;
                    Ok(MaybeHttpsStream::Http(stream))
                }
                Transport::Tls(tls) => tls.clone().call(origin).await.map_err(ConnectFailed),
            }
        };
        timeout(self.limit, connecting).await.unwrap_or_else(|elapsed| Err(ConnectFailed(elapsed.into())))
    }
}

/// TLS 1.2 or 1.3, HTTP/1.1 by ALPN (RFC 7301), with the certificates that the operating system trusts. The crypto
/// provider is named here, because the app may have set another default provider, or none.
fn tls_config() -> Result<ClientConfig, BoxError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new(Arc::clone(&provider))?;
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    // rustls calls every custom verifier `dangerous()`. This one is the verifier of the operating system.
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
