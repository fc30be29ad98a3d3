//! Starts the deployments of the README with real servers, for the other tests.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use auth_proxy::options::{SessionStrategy, UpstreamKind};
use auth_proxy::testing::FakeUpstream;
use auth_proxy_tests::chromium::page;
use auth_proxy_tests::{App, free_port};
use axum::extract::Request;
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::json;

use crate::server::{SECRET, Server};

auth_proxy::auth_proxy! {
    pub(crate) struct Auth { upstream: { kind: authjs, base_url: env("URL"), session_strategy: env("STRATEGY", default = "jwt") } }
}

async fn me(session: auth_proxy::Session<Auth>) -> String {
    session.user.email.clone().unwrap_or_default()
}

#[auth_proxy::require_session]
async fn protected() -> &'static str {
    "ok"
}

/// Running apps and the servers behind them.
pub(crate) struct Deployment {
    /// The origin of each app.
    pub(crate) apps: Vec<String>,
    /// The callback URL that is registered at the provider.
    pub(crate) callback: String,
    /// The origin of the sign-in pages and callbacks.
    pub(crate) auth_host: String,
    pub(crate) provider: String,
    _running: (Vec<App>, Vec<Server>),
}

impl Deployment {
    /// One app with the sign-in on its own origin. The first server is the provider.
    pub(crate) fn of_one(own: String, callback: String, app: App, servers: Vec<Server>) -> Self {
        let provider = servers[0].url.clone();
        Self { apps: vec![own.clone()], callback, auth_host: own, provider, _running: (vec![app], servers) }
    }
}

/// A front door: the upstream is internal, and browsers see only this app's origin.
pub(crate) async fn front_door(strategy: SessionStrategy) -> Deployment {
    front_door_on("127.0.0.1", strategy, "").await
}

/// A front door with passkeys, which need a host name and not an IP address.
pub(crate) async fn front_door_with_passkeys(strategy: SessionStrategy) -> Deployment {
    front_door_on("localhost", strategy, "1").await
}

async fn front_door_on(host: &str, strategy: SessionStrategy, passkeys: &str) -> Deployment {
    let port = free_port();
    let own = format!("http://{host}:{port}");
    let callback = format!("{own}/api/auth/callback/idp");
    let idp = Server::identity_provider(&callback);
    let server = Server::with(strategy, "/api/auth", &[("ISSUER", &idp.url), ("PASSKEYS", passkeys)]);
    let auth =
        Auth::builder().upstream_base_url(&server.url).upstream_session_strategy(strategy).build().unwrap();
    let app = App::start_at(port, pages(&auth)).await;
    Deployment::of_one(own, callback, app, vec![idp, server])
}

/// A front door behind an ingress that terminates TLS. The cookie names of Auth.js begin with `__Secure-`, and the key
/// of a token is derived from the cookie name (`docs/authjs.md#token-key`).
pub(crate) async fn front_door_https(kind: Option<UpstreamKind>) -> Deployment {
    let [outer, inner] = [free_port(), free_port()];
    let own = format!("https://app.localtest:{outer}");
    let callback = format!("{own}/api/auth/callback/idp");
    let idp = Server::identity_provider(&callback);
    let server = match kind {
        Some(UpstreamKind::NextAuthV4) => Server::v4(&[("ISSUER", &idp.url)]),
        _ => Server::with(SessionStrategy::Jwt, "/api/auth", &[("ISSUER", &idp.url)]),
    };
    let app = match kind {
        Some(kind) => {
            let auth = Auth::builder()
                .upstream_base_url(&server.url)
                .upstream_kind(kind)
                .public_url(&own)
                .upstream_secret([SECRET]);
            let auth = auth.build().unwrap();
            assert!(auth.config().cookie_names()[0].starts_with("__Secure-"));
            App::start_at(inner, pages(&auth)).await
        }
        None => {
            let auth =
                Kindless::builder().upstream_base_url(&server.url).public_url(&own).upstream_secret([SECRET]);
            App::start_at(inner, kindless_pages(&auth.build().unwrap())).await
        }
    };
    let tls = Server::tls(outer, inner);
    Deployment::of_one(own, callback, app, vec![idp, server, tls])
}

auth_proxy::auth_proxy! {
    /// A proxy without `upstream.kind`.
    struct Kindless { upstream: { base_url: env("URL") } }
}

fn kindless_pages(auth: &Kindless) -> Router {
    async fn me(session: auth_proxy::Session<Kindless>) -> String {
        session.user.email.clone().unwrap_or_default()
    }
    #[auth_proxy::require_session(Kindless)]
    async fn protected() -> &'static str {
        "ok"
    }
    let router = Router::new().route("/me", get(me)).route("/protected", get(protected));
    auth.attach(router).with_state(auth.clone())
}

/// A front door with `cors.origins` and `SameSite=None` cookies. Also returns the origin of an allowed page and of a
/// page that is not allowed.
pub(crate) async fn front_door_for_another_site() -> (Deployment, String, String) {
    let [outer, inner] = [free_port(), free_port()];
    let own = format!("https://app.localtest:{outer}");
    let server = Server::with(SessionStrategy::Jwt, "/api/auth", &[("SAME_SITE", "none")]);
    let [(page, page_tls, page_app), (foreign, foreign_tls, foreign_app)] =
        [another_site("page").await, another_site("foreign").await];
    let auth = Auth::builder()
        .upstream_base_url(&server.url)
        .public_url(&own)
        .cors_origins([&page])
        .build()
        .unwrap();
    let app = App::start_at(inner, pages(&auth)).await;
    let tls = Server::tls(outer, inner);
    let running = (vec![app, page_app, foreign_app], vec![server, tls, page_tls, foreign_tls]);
    let deployment = Deployment {
        apps: vec![own.clone()],
        callback: String::new(),
        auth_host: own,
        provider: String::new(),
        _running: running,
    };
    (deployment, page, foreign)
}

/// An app, and a page on another port of the same host, to which browsers send the same cookies.
pub(crate) async fn two_ports_of(host: &str) -> (FakeUpstream, Vec<App>, String, String) {
    let upstream = FakeUpstream::start().await.unwrap();
    let [port, other] = [free_port(), free_port()];
    let own = format!("http://{host}:{port}");
    let auth = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_kind(UpstreamKind::Robo)
        .public_url(&own)
        .build()
        .unwrap();
    let empty = || async { axum::response::Html("<!doctype html><title>the same site</title>") };
    let apps = vec![
        App::start_at(port, pages(&auth)).await,
        App::start_at(other, Router::new().route("/", get(empty))).await,
    ];
    (upstream, apps, own, format!("http://{host}:{other}"))
}

/// Another site over https, with an empty page.
async fn another_site(name: &str) -> (String, Server, App) {
    let [outer, inner] = [free_port(), free_port()];
    let empty = || async { axum::response::Html("<!doctype html><title>another site</title>") };
    let app = App::start_at(inner, Router::new().route("/", get(empty))).await;
    (format!("https://{name}.localtest:{outer}"), Server::tls(outer, inner), app)
}

/// A front door whose upstream has another base path. next-auth v4 takes path and origin from `NEXTAUTH_URL` and
/// ignores those of the request, so `NEXTAUTH_URL` must have the origin of this app.
pub(crate) async fn front_door_with_another_base_path(kind: UpstreamKind) -> Deployment {
    let port = free_port();
    let own = format!("http://127.0.0.1:{port}");
    let callback = format!("{own}/auth/callback/idp");
    let idp = Server::identity_provider(&callback);
    let server = match kind {
        UpstreamKind::NextAuthV4 => {
            Server::v4(&[("ISSUER", &idp.url), ("NEXTAUTH_URL", &format!("{own}/auth"))])
        }
        _ => Server::with(SessionStrategy::Jwt, "/auth", &[("ISSUER", &idp.url)]),
    };
    let auth = Auth::builder().upstream_base_url(&server.url).upstream_kind(kind).upstream_base_path("/auth");
    let auth = auth.upstream_secret([SECRET]).build().unwrap();
    let app = App::start_at(port, pages(&auth).merge(auth.upstream_routes())).await;
    Deployment::of_one(own, callback, app, vec![idp, server])
}

/// A front door with next-auth v4.
pub(crate) async fn front_door_v4() -> Deployment {
    let port = free_port();
    let own = format!("http://127.0.0.1:{port}");
    let callback = format!("{own}/api/auth/callback/idp");
    let idp = Server::identity_provider(&callback);
    let server = Server::v4(&[("ISSUER", &idp.url)]);
    let auth = Auth::builder()
        .upstream_base_url(&server.url)
        .upstream_kind(UpstreamKind::NextAuthV4)
        .upstream_secret([SECRET]);
    let app = App::start_at(port, pages(&auth.build().unwrap())).await;
    Deployment::of_one(own, callback, app, vec![idp, server])
}

/// A public auth host whose cookies have a `Domain`, and two apps below that domain.
pub(crate) async fn parent_domain() -> Deployment {
    let port = free_port();
    let auth_host = format!("http://auth.team.localtest:{port}");
    let callback = format!("{auth_host}/api/auth/callback/idp");
    let idp = Server::identity_provider(&callback);
    let vars =
        [("ISSUER", idp.url.as_str()), ("COOKIE_DOMAIN", "team.localtest"), ("PORT", &port.to_string())];
    let server = Server::with(SessionStrategy::Jwt, "/api/auth", &vars);
    let (mut apps, mut running) = (Vec::new(), Vec::new());
    for name in ["one", "other"] {
        let port = free_port();
        let own = format!("http://{name}.team.localtest:{port}");
        let client = auth_proxy::fetch::Reqwest::new(auth_proxy_tests::loopback_client());
        let auth = Auth::builder()
            .upstream_base_url(&auth_host)
            .upstream_allow_http(true)
            .public_url(&own)
            .upstream_fetch(client);
        let auth = auth.build().unwrap();
        assert_eq!(auth.config().host(), &auth_proxy::options::Host::Upstream);
        running.push(App::start_at(port, pages(&auth)).await);
        apps.push(own);
    }
    Deployment {
        apps,
        callback,
        auth_host,
        provider: idp.url.clone(),
        _running: (running, vec![idp, server]),
    }
}

/// An internal upstream for two apps without a common domain, and one callback URL for both.
pub(crate) async fn redirect_proxy() -> Deployment {
    let port = free_port();
    let auth_host = format!("http://auth.localtest:{port}");
    let url = format!("{auth_host}/api/auth");
    let callback = format!("{url}/callback/idp");
    let idp = Server::identity_provider(&callback);
    let vars = [("ISSUER", idp.url.as_str()), ("AUTH_REDIRECT_PROXY_URL", &url), ("PORT", &port.to_string())];
    let server = Server::with(SessionStrategy::Jwt, "/api/auth", &vars);
    let (mut apps, mut running) = (Vec::new(), Vec::new());
    for name in ["one", "other"] {
        let port = free_port();
        let own = format!("http://{name}.localtest:{port}");
        let auth = Auth::builder().upstream_base_url(&server.url).public_url(&own).build().unwrap();
        running.push(App::start_at(port, pages(&auth)).await);
        apps.push(own);
    }
    Deployment {
        apps,
        callback,
        auth_host,
        provider: idp.url.clone(),
        _running: (running, vec![idp, server]),
    }
}

/// A front door with the fake Robo.js upstream: the real plugin is in no registry.
pub(crate) async fn robo(strategy: SessionStrategy) -> (FakeUpstream, App) {
    let upstream = FakeUpstream::builder().robo().strategy(strategy).start().await.unwrap();
    let auth = Auth::builder()
        .upstream_kind(UpstreamKind::Robo)
        .upstream_base_url(upstream.url())
        .upstream_session_strategy(strategy);
    let app = App::start(pages(&auth.build().unwrap())).await;
    (upstream, app)
}

/// An app with the fake Robo.js upstream, and an allowed page on another port. Returns both origins. With
/// `removes_header` a layer removes `X-Auth-Return-Redirect`, with which clients request a redirect as JSON.
pub(crate) async fn another_origin(
    strategy: SessionStrategy,
    removes_header: bool,
) -> (FakeUpstream, Vec<App>, String, String) {
    let upstream = FakeUpstream::builder().robo().strategy(strategy).start().await.unwrap();
    let [port, other] = [free_port(), free_port()];
    let (own, page) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{other}"));
    let auth = Auth::builder()
        .upstream_kind(UpstreamKind::Robo)
        .upstream_base_url(upstream.url())
        .upstream_session_strategy(strategy);
    let auth = auth.cors_origins([&page]).build().unwrap();
    let remove_header = move |mut request: Request| {
        if removes_header {
            request.headers_mut().remove("x-auth-return-redirect");
        }
        std::future::ready(request)
    };
    let empty = || async { axum::response::Html("<!doctype html><title>another origin</title>") };
    let apps = vec![
        App::start_at(port, pages(&auth).layer(axum::middleware::map_request(remove_header))).await,
        App::start_at(other, Router::new().route("/", get(empty))).await,
    ];
    (upstream, apps, own, page)
}

async fn react() -> axum::response::Html<&'static str> {
    axum::response::Html(
        "<!doctype html><title>react</title><body><script type=module src=/react.js></script>",
    )
}

/// The bundle of next-auth/react for this app's kind of upstream.
async fn react_script(
    axum::extract::State(auth): axum::extract::State<Auth>,
) -> impl axum::response::IntoResponse {
    let version =
        if auth.config().cookie_names().iter().any(|name| name.contains("next-auth")) { "v4" } else { "v5" };
    let bundle = std::fs::read(bundle_of(version)).unwrap();
    ([("content-type", "text/javascript")], bundle)
}

/// The path of the bundle of next-auth/react.
pub(crate) fn bundle_of(version: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("output").join(format!("react-{version}.js"))
}

pub(crate) fn pages(auth: &Auth) -> Router {
    auth.attach(routes(auth)).with_state(auth.clone())
}

/// The pages without the sign-in routes.
pub(crate) fn routes(auth: &Auth) -> Router<Auth> {
    let router =
        Router::new().route("/me", get(me)).route("/protected", get(protected)).route("/page", get(page));
    router.route("/react", get(react)).route("/react.js", get(react_script)).merge(writes(auth))
}

/// The route `/write` behind the cross-origin layer. The page `/written` shows how often its handler ran, and the
/// requests that reached the layer.
fn writes(auth: &Auth) -> Router<Auth> {
    let writes_done = Arc::new(AtomicUsize::new(0));
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (counter, requests_shown) = (Arc::clone(&writes_done), Arc::clone(&requests));
    let write = any(move || async move {
        counter.fetch_add(1, SeqCst);
        "written"
    });
    let record_request = move |request: Request| {
        let header = |name: &str| request.headers().get(name).map_or("", |value| value.to_str().unwrap());
        let has_cookie = header("cookie").contains("authjs.session-token=");
        let recorded =
            json!({ "cookie": has_cookie, "origin": header("origin"), "site": header("sec-fetch-site") });
        requests.lock().unwrap().push(recorded);
        std::future::ready(request)
    };
    let written = get(move || async move {
        Json(json!({ "done": writes_done.load(SeqCst), "asked": *requests_shown.lock().unwrap() }))
    });
    Router::new()
        .route("/write", write)
        .layer(auth.cross_origin_protection())
        .layer(axum::middleware::map_request(record_request))
        .route("/written", written)
}
