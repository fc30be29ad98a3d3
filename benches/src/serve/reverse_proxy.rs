//! A proxy with the crate axum-reverse-proxy, with the client and the settings of its README.

use axum::Router;
use axum_reverse_proxy::ReverseProxy;

pub(super) fn router(upstream: &str) -> Router {
    ReverseProxy::new("/", upstream).into()
}
