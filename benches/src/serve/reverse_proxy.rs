//! The crate axum-reverse-proxy, as its README begins: its own client with its own settings.

use axum::Router;
use axum_reverse_proxy::ReverseProxy;

pub(super) fn router(upstream: &str) -> Router {
    ReverseProxy::new("/", upstream).into()
}
