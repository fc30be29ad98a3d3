//! The client of a proxy, unless it is given another. It follows no redirects, decodes no bodies, keeps no
//! cookies and uses no system proxy.

mod direct;
mod exchange;
mod pool;
mod pooled;

use std::time::Duration;

use auth_proxy_rules::Settings;
use hyper_util::client::legacy::connect::HttpConnector;

use self::direct::Direct;
use self::pooled::Pooled;
use super::DynFetch;
use crate::error::BoxError;

/// How long a connection may lie unused. Node closes its own after 5 s (`server.keepAliveTimeout`), and a
/// request that meets the close half-way is lost.
const IDLE: Duration = Duration::from_secs(4);

/// What carries requests.
pub(super) enum Client {
    /// Our own, over plain http: it costs least, and its type is known.
    Direct(Direct),
    /// hyper's, where TLS and HTTP/2 come into it, or the one that was given.
    Other(DynFetch),
}

/// The client for these settings.
pub(super) fn client(settings: &Settings) -> Result<Client, BoxError> {
    let mut tcp = HttpConnector::new();
    tcp.set_connect_timeout(Some(settings.connect_timeout));
    tcp.set_nodelay(true);
    Ok(if settings.base_url.origin.https {
        Client::Other(DynFetch::new(Pooled::new(tcp, settings)?))
    } else {
        Client::Direct(Direct::new(tcp, &settings.base_url.origin)?)
    })
}
