//! [`ReverseProxy`]: the service that forwards requests to an app.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use http::Request;
use tower::Service;

use super::destination::App;
use super::forward::forward;

/// Forwards requests to an app behind this service. See [`Proxy::reverse_proxy`](crate::Proxy::reverse_proxy).
///
/// - Path, query and body are forwarded as they are, and both bodies are streamed. Redirects go to the browser.
/// - Of the headers, those of the connection are removed, and those that a client can forge: `X-Forwarded-*`, which is
///   written anew, `X-Original-URL` and its kind, and `X-Auth-*`. So are all whose names have another character than letters,
///   digits and `-`: some servers read `X_Auth_Subject` or `X.Auth.Subject` as `X-Auth-Subject`, and `SCRIPT_NAME` as a part
///   of the path.
/// - With an [`Identity`](crate::verdict::Identity) in its extensions, a request gets the identity headers. Without
///   [`pass_session`](super::ReverseProxyBuilder::pass_session) it loses the session cookies, and the Bearer token that
///   let the visitor through.
/// - A host that is not this service's is refused, as on the sign-in routes: 421 `host_unknown`.
/// - A WebSocket is connected when the app answers 101. No other protocol is switched to.
/// - A failure of the app is 502 `app_unreachable`, 502 `app_failed` or 504 `app_timeout`. No request is sent twice.
///
/// Whatever it gets, it forwards: the guard in front decides by the path, which [`ReverseProxy`] does not change.
///
/// ```
/// # use auth_proxy::auth_proxy;
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let app = auth.reverse_proxy("http://127.0.0.1:3001").build()?;
/// let router: axum::Router = axum::Router::new().fallback_service(app).layer(auth.require_any_session());
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct ReverseProxy {
    app: Arc<App>,
}

impl ReverseProxy {
    pub(super) fn new(app: App) -> Self {
        Self { app: Arc::new(app) }
    }
}

impl Service<Request<Body>> for ReverseProxy {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let app = Arc::clone(&self.app);
        Box::pin(async move { Ok(forward(&app, request).await) })
    }
}

impl fmt::Debug for ReverseProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReverseProxy")
    }
}
