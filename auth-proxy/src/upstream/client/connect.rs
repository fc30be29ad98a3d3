//! Opens connections to the upstream: TCP, TLS for an https address, or a Unix socket.

#[cfg(unix)]
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use auth_proxy_rules::BaseUrl;
use http::Uri;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::Verifier;
use tokio::time::timeout;
use tower::Service as _;

use super::stream::Stream;
#[cfg(unix)]
use super::unix;
use crate::error::BoxError;
use crate::upstream::error::ConnectFailed;

/// Opens connections to one server.
pub(super) struct Connector {
    transport: Transport,
    /// `upstream.connect_timeout`.
    limit: Duration,
}

/// `Plain` loads no certificates, so that it works in a container without any.
enum Transport {
    Plain(HttpConnector, Uri),
    Tls(HttpsConnector<HttpConnector>, Uri),
    /// The path of the socket.
    #[cfg(unix)]
    Unix(PathBuf),
}

impl Connector {
    pub(super) fn new(server: &BaseUrl, limit: Duration) -> Result<Self, BoxError> {
        if let Some(socket) = &server.socket {
            #[cfg(unix)]
            return Ok(Self { transport: Transport::Unix(socket.into()), limit });
            #[cfg(not(unix))]
            return Err(
                format!("this system has no Unix sockets, so `unix:{socket}` cannot be reached").into()
            );
        }
        let origin = &server.origin;
        let uri: Uri = origin.to_string().parse()?;
        let mut tcp = HttpConnector::new();
        // hyper-util divides this time among the addresses of a host name, so that all of them are tried.
        tcp.set_connect_timeout(Some(limit));
        tcp.set_nodelay(true);
        let transport = if origin.https {
            tcp.enforce_http(false);
            let mut tls = HttpsConnector::from((tcp, tls_config()?));
            tls.enforce_https();
            Transport::Tls(tls, uri)
        } else {
            Transport::Plain(tcp, uri)
        };
        Ok(Self { transport, limit })
    }

    /// Opens a connection, with its TLS handshake, within `upstream.connect_timeout`.
    pub(super) async fn connect(&self) -> Result<Stream, ConnectFailed> {
        let connecting = async {
            match &self.transport {
                Transport::Plain(tcp, uri) => {
                    let stream = tcp.clone().call(uri.clone()).await;
                    stream.map(Stream::Plain).map_err(|error| ConnectFailed(error.into()))
                }
                Transport::Tls(tls, uri) => {
                    tls.clone().call(uri.clone()).await.map(Stream::tls).map_err(ConnectFailed)
                }
                #[cfg(unix)]
                Transport::Unix(path) => {
                    unix::connect(path).await.map(Stream::unix).map_err(|error| ConnectFailed(error.into()))
                }
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
