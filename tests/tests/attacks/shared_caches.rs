//! Attack: a shared cache serves one visitor's response to another visitor. A real nginx runs in front of the app.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy::testing::FakeUpstream;
use auth_proxy::{
    Policy, RawToken, Session, Token,
    layers::Cacheable,
    options::{Builder, SessionSource, SessionStrategy},
    require_session,
};
use auth_proxy_tests::{Answer, App, Browser, COOKIE_NAME, free_port};
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::support::{Auth, SECRET, Upstream, auth, first};

/// nginx with a cache that keeps every 200 for a minute unless the response forbids it.
struct Nginx {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl Nginx {
    async fn before(app: &App) -> Self {
        let port = free_port();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("nginx-{port}"));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {path}/{kind};\n"))
            .collect();
        let configuration = format!(
            "daemon off; master_process off; pid {path}/pid; error_log {path}/error.log;
            events {{}}
            http {{
              access_log off; {temporary}
              proxy_cache_path {path}/cache keys_zone=pages:1m;
              server {{
                listen 127.0.0.1:{port};
                location / {{
                  proxy_pass http://{}; proxy_set_header Host $http_host;
                  proxy_cache pages; proxy_cache_valid 200 1m;
                  add_header X-Cache $upstream_cache_status;
                }}
              }}
            }}",
            app.addr
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&folder).arg("-c").arg(&file).arg("-e").arg(folder.join("error.log"));
        let child = command.stdin(Stdio::null()).spawn().expect("nginx is installed");
        let nginx = Self { child, folder, url: format!("http://127.0.0.1:{port}") };
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return nginx;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!(
            "nginx does not start: {}",
            std::fs::read_to_string(nginx.folder.join("error.log")).unwrap_or_default()
        );
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// Cache headers that a handler sets.
const CACHE_HEADERS: [&[(&str, &str)]; 14] = [
    &[],
    &[("cache-control", "public, max-age=60")],
    &[("cache-control", "max-age=60"), ("cache-control", "public")],
    &[("cache-control", "max-age=60"), ("cache-control", "s-maxage=60")],
    &[("cache-control", "private=\"x\", max-age=60")],
    &[("cache-control", "max-age=60, ext=\"private\"")],
    &[("cache-control", "no-cache=\"set-cookie\", max-age=60")],
    &[("cdn-cache-control", "public, max-age=60")],
    &[("surrogate-control", "max-age=60")],
    &[("x-accel-expires", "60")],
    &[("x-accel-expires", "60"), ("cache-control", "private")],
    &[("expires", "Thu, 01 Jan 2099 00:00:00 GMT")],
    &[("vary", "accept"), ("cache-control", "public, max-age=60")],
    &[("cache-control", "Public,MAX-AGE=60,S-MaxAge=60")],
];

fn page(number: usize, text: String) -> Response {
    let mut response = text.into_response();
    for (name, value) in CACHE_HEADERS[number] {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    response
}

fn name(session: &Session<Auth>) -> String {
    session.user.name.clone().unwrap_or_default()
}

#[require_session]
async fn guarded(Path(number): Path<usize>) -> Response {
    page(number, "for members".to_owned())
}

struct AllowAll;

impl Policy<Auth> for AllowAll {
    fn allow(_: &Session<Auth>, _: Option<&Token<Auth>>) -> bool {
        true
    }
}

#[require_session(Auth, AllowAll)]
async fn allowed(Path(number): Path<usize>) -> Response {
    page(number, "for members".to_owned())
}

const PATHS: [&str; 8] = ["me", "optional", "token", "raw", "guarded", "allowed", "group", "allowed-group"];

fn routes(auth: &Auth) -> Router {
    let members = |path: &str| {
        Router::new().route(path, get(async |Path(n): Path<usize>| page(n, "for members".into())))
    };
    let router = Router::new()
        .route("/me/{n}", get(async |Path(n): Path<usize>, session: Session<Auth>| page(n, name(&session))))
        .route(
            "/optional/{n}",
            get(async |Path(n): Path<usize>, session: Option<Session<Auth>>| {
                page(n, session.map_or("a guest".to_owned(), |session| name(&session)))
            }),
        )
        .route(
            "/token/{n}",
            get(async |Path(n): Path<usize>, token: Token<Auth>| {
                page(n, token.name.clone().unwrap_or_default())
            }),
        )
        .route(
            "/raw/{n}",
            get(async |Path(n): Path<usize>, raw: RawToken<Auth>| page(n, raw.as_str().to_owned())),
        )
        .route("/guarded/{n}", get(guarded))
        .route("/allowed/{n}", get(allowed))
        .merge(members("/group/{n}").route_layer(auth.require_any_session()))
        .merge(members("/allowed-group/{n}").route_layer(auth.require_policy::<AllowAll>()));
    auth.attach(router).with_state(auth.clone())
}

fn settings(builder: &dyn Fn() -> Builder<Auth>) -> Vec<(&'static str, Builder<Auth>)> {
    let cache = Duration::from_secs(60);
    vec![
        ("source: local", builder().upstream_secret([SECRET]).session_source(SessionSource::Local)),
        ("a secret", builder().upstream_secret([SECRET])),
        ("a secret and session.cache", builder().upstream_secret([SECRET]).session_cache(cache)),
        ("session.cache", builder().session_cache(cache)),
        ("nothing", builder()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_does_not_serve_one_visitors_page_to_another() {
    let (mut requests, mut leaks) = (0, Vec::new());
    let upstream = Upstream::new(COOKIE_NAME, SessionStrategy::Jwt);
    let server = upstream.start().await;
    for (setting, builder) in settings(&|| auth(&server, SessionStrategy::Jwt)) {
        let auth = builder.build().unwrap();
        let app = App::start(routes(&auth)).await;
        for credential in ["cookie", "authorization"] {
            let nginx = Nginx::before(&app).await;
            let (visitor, guest) = (Browser::at(&nginx.url), Browser::at(&nginx.url));
            let token = upstream.issue("ada");
            let value = if credential == "cookie" {
                format!("{COOKIE_NAME}={token}")
            } else {
                format!("Bearer {token}")
            };
            for path in PATHS {
                for (number, cache_headers) in CACHE_HEADERS.iter().enumerate() {
                    let path = format!("/{path}/{number}");
                    // The first session comes from the upstream, the next two from the session cache.
                    let mut own = String::new();
                    for _ in 0..3 {
                        let answer = visitor.get_with(&path, &[(credential, &value)]).await;
                        assert_eq!(answer.status, 200, "{setting}, {path}");
                        own = answer.body;
                    }
                    for _ in 0..2 {
                        let answer = guest.get(&path).await;
                        requests += 1;
                        if answer.body == own || answer.header("x-cache") == "HIT" {
                            leaks.push(format!("{setting}, {credential}, {path} with {cache_headers:?}"));
                        }
                    }
                    // The other direction: the visitor must not get the page of a signed-out client.
                    let answer = visitor.get_with(&path, &[(credential, &value)]).await;
                    if answer.body != own {
                        leaks.push(format!(
                            "{setting}, {credential}, {path} with {cache_headers:?}: the visitor got the signed-out page"
                        ));
                    }
                }
            }
        }
    }
    println!(
        "shared caches: {} of {requests} requests got the page of another visitor from nginx",
        leaks.len()
    );
    assert!(leaks.is_empty(), "{} of {requests}:\n{}", leaks.len(), first(&leaks));
}

/// The forwarded pages are the session, and pages whose forms contain the visitor's CSRF token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_does_not_serve_forwarded_pages_to_another_visitor() {
    let upstream = FakeUpstream::start().await.unwrap();
    let auth = Auth::builder().upstream_base_url(upstream.url()).build().unwrap();
    let app = App::start(routes(&auth)).await;
    let nginx = Nginx::before(&app).await;
    let (visitor, guest) = (Browser::at(&nginx.url), Browser::at(&nginx.url));
    let csrf = visitor.csrf().await;
    let session = upstream.cookie(&json!({ "sub": "1", "name": "Ada" }));
    let (mut requests, mut leaks) = (0, Vec::new());
    let names_the_visitor = |answer: &Answer| answer.body.contains(&csrf) || answer.body.contains("Ada");
    for path in [
        "/api/auth/session",
        "/api/auth/csrf",
        "/api/auth/signin",
        "/api/auth/signout",
        "/api/auth/signin?callbackUrl=/",
    ] {
        let mut was_named = false;
        for _ in 0..3 {
            let answer = match path {
                "/api/auth/session" => Browser::at(&nginx.url).get_with(path, &[("cookie", &session)]).await,
                _ => visitor.get(path).await,
            };
            assert_eq!(answer.status, 200, "{path}");
            was_named |= names_the_visitor(&answer);
        }
        assert!(was_named, "{path} contains no data of the visitor, so the test proves nothing");
        let answer = guest.get(path).await;
        requests += 1;
        if names_the_visitor(&answer) {
            leaks.push(path);
        }
    }
    println!(
        "shared caches: {} of {requests} forwarded pages of a visitor were served to another by nginx",
        leaks.len()
    );
    assert!(leaks.is_empty(), "{leaks:?}");
}

/// With `Cacheable` a handler says that its page is the same for every visitor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cacheable_page_is_served_from_the_nginx_cache() {
    let pages_made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&pages_made);
    let prices = async move |_: Option<Session<Auth>>| {
        let number = count.fetch_add(1, SeqCst);
        (Cacheable, [("cache-control", "public, max-age=60")], format!("price {number}"))
    };
    let upstream = Upstream::new(COOKIE_NAME, SessionStrategy::Jwt);
    let server = upstream.start().await;
    let auth = auth(&server, SessionStrategy::Jwt)
        .upstream_secret([SECRET])
        .session_source(SessionSource::Local)
        .build()
        .unwrap();
    let router = Router::new().route("/prices", get(prices));
    let app = App::start(auth.attach(router).with_state(auth.clone())).await;
    let nginx = Nginx::before(&app).await;
    let cookie = format!("{COOKIE_NAME}={}", upstream.issue("ada"));
    let mut hits = 0;
    for n in 0..10 {
        let headers = [("cookie", cookie.as_str())];
        let answer = Browser::at(&nginx.url).get_with("/prices", &headers[..n % 2]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "price 0"));
        hits += usize::from(answer.header("x-cache") == "HIT");
    }
    println!(
        "shared caches: {hits} of 9 requests for a page that is the same for all were answered by nginx"
    );
    assert_eq!((hits, pages_made.load(SeqCst)), (9, 1));
}
