//! The routes of the endpoint: reads which request a proxy asks about, has it decided, and answers.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::OriginalUri;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::request::Parts;
use http::{Request, Uri};
use tower::{Layer as _, Service, ServiceExt as _};

use super::answer;
use super::builder::Verdict;
use crate::error::{AuthError, Reason};
use crate::forwarded::{OriginalRequest, QuestionForm};
use crate::provider::{AuthProxy, Shared};
use crate::warnings::Warning;

/// Where Envoy asks: it adds the path of the request in question to a prefix.
const ENVOY: &str = "/envoy";

/// Where services fetch the keys of signed tokens. Not below `ENVOY`: there it would be the path of a request.
const KEYS: &str = "/jwks.json";

impl<P: AuthProxy> Verdict<P> {
    /// The routes of the endpoint.
    ///
    /// - `{path}` reads the request in question from `X-Original-URI` and `X-Original-Method` (nginx), or from
    ///   `X-Forwarded-Uri` and `X-Forwarded-Method` (Traefik, Caddy).
    /// - `{path}/jwks.json`, for everybody, has the keys of [signed tokens](Self::signed_token), if there are any.
    /// - `{path}/envoy` and everything below it reads it from the rest of the path and from the method, as Envoy sends them.
    ///
    /// Merge it into the app's router, outside of any `nest`.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        if self.proxy.shared().settings.trusted_proxies.is_empty() {
            tracing::warn!(
                target: "auth_proxy::config",
                proxy = P::SPEC.name,
                "the verdict endpoint refuses every question: name the proxy that asks in `trusted_proxies`"
            );
        }
        let by_path: Arc<str> = format!("{}{}", self.path, ENVOY).into();
        let by_headers = self.service(None);
        let asked_by_path = self.service(Some(Arc::clone(&by_path)));
        self.key_set_router()
            .route_service(&self.path, by_headers)
            .route_service(&by_path, asked_by_path.clone())
            .route_service(&format!("{by_path}/"), asked_by_path.clone())
            .route_service(&format!("{by_path}/{{*rest}}"), asked_by_path)
    }

    /// Only `{path}/jwks.json`, without the routes that answer questions. Empty without [signed tokens](Self::signed_token).
    ///
    /// For a service that calls [`decide`](Self::decide) itself and forwards requests to the app, whose visitors may send
    /// any header. They could ask the other routes, and scripts of a page can read the renewed session cookies in
    /// `X-Set-Cookie-1` to `-4` of an answer.
    ///
    /// ```
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// # let auth = Auth::from_env()?;
    /// let app: axum::Router = auth.attach(axum::Router::new()).merge(auth.verdict().key_set_router()).with_state(auth);
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    pub fn key_set_router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let Some(token) = &self.token else { return Router::new() };
        let keys = token.key_set();
        let keys = get(move || std::future::ready(answer::key_set(keys.clone())));
        Router::new().route(&format!("{}{KEYS}", self.path), keys)
    }

    /// The service behind the routes. With a prefix, the path describes the request in question.
    fn service(
        &self,
        prefix: Option<Arc<str>>,
    ) -> impl Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + use<P>
    {
        let verdict = self.clone();
        let decides = tower::service_fn(move |request: Request<Body>| {
            let (verdict, prefix) = (verdict.clone(), prefix.clone());
            async move { Ok::<_, Infallible>(verdict.answer(request, prefix.as_deref()).await) }
        });
        // The layer adds the renewed cookies, so `with_numbered_cookies` runs after it.
        self.proxy.session_cookie_layer().layer(decides).map_response(answer::with_numbered_cookies)
    }

    async fn answer(&self, request: Request<Body>, prefix: Option<&str>) -> Response {
        let shared = self.proxy.shared();
        // A question has no body: the proxies leave it out.
        let (mut parts, _) = request.into_parts();
        let told = match prefix {
            Some(prefix) => OriginalRequest::of_path(&parts, prefix, &shared.settings),
            None => OriginalRequest::of_headers(&parts, &shared.settings),
        };
        let form = match told.and_then(|told| become_original(&mut parts, told)) {
            Ok(form) => form,
            Err(error) => {
                warn(&error, shared);
                return error.into_response();
            }
        };
        // Below `{path}/envoy` the path of a question may be one that a client wrote, and that another proxy before means for
        // a sign-in route: nginx decodes and resolves `/_auth/verdict/envoy/..%2f..%2f..%2fapi/auth/x`, and passes it on as it is.
        match self.decide_about(&mut parts, form == QuestionForm::Path).await {
            Ok(identity) => answer::allowed(&identity, form),
            Err(rejection) => answer::refused(rejection, &parts, form, &shared.settings),
        }
    }
}

/// Turns a question into the request that it is about. Its headers are those of that request already.
fn become_original(parts: &mut Parts, told: OriginalRequest) -> Result<QuestionForm, AuthError> {
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    uri.path_and_query = Some(told.target);
    parts.uri = Uri::from_parts(uri)
        .map_err(|error| AuthError::new(Reason::ORIGINAL_REQUEST_INVALID).because(error))?;
    parts.extensions.insert(OriginalUri(parts.uri.clone()));
    parts.method = told.method;
    Ok(told.form)
}

/// Says in the log which setting is missing.
fn warn(error: &AuthError, shared: &Shared) {
    let is_untrusted = error.is(Reason::PROXY_UNTRUSTED);
    let warning = if is_untrusted { Warning::VerdictForUntrusted } else { Warning::VerdictWithoutRequest };
    shared.warn_once_with(warning, || error.cause().map(|cause| cause.to_string()).unwrap_or_default());
}
