//! Open redirects: a client cannot choose the target of a redirect. The tests resolve targets by the URL rules of
//! browsers (WHATWG), which differ from those of servers.

use std::sync::{Arc, Mutex};

use auth_proxy::options::{Builder, Unauthenticated};
use auth_proxy::testing::FakeUpstream;
use auth_proxy_tests::App;
use axum::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

use crate::support::http1::{Message, exchange, take};
use crate::support::{Auth, app_of, users};

/// Text that a client might put after an origin, or in place of a path.
const TAILS: [&str; 44] = [
    "",
    "/",
    "/dashboard?tab=1#top",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\t\\evil.example",
    "//\tevil.example",
    "//evil.example\\@x",
    "//evil.example:80",
    "//x@evil.example",
    "//x:y@evil.example/",
    "//evil\u{3002}example",
    "//\u{24d4}vil.example",
    "//xn--e1aybc.example",
    "//[::ffff:6.6.6.6]",
    "//0x06060606",
    "//%65vil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/x/..//evil.example",
    "/./\\evil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "/%09/evil.example",
    "/;//evil.example",
    "/:80//evil.example",
    "/@evil.example",
    "@evil.example",
    ".evil.example",
    ":80@evil.example",
    ":@evil.example",
    "\\@evil.example",
    "?//evil.example",
    "?@evil.example",
    "#@evil.example",
    "#//evil.example",
    "/https://evil.example",
    "/javascript:alert(1)",
];

/// Complete redirect targets: other schemes, and names without a scheme.
const WHOLE: [&str; 18] = [
    "https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:\\\\evil.example",
    "HTTPS://evil.example",
    "ht\ttps://evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)//",
    "java\tscript:alert(1)",
    "data:text/html,x",
    "blob:https://evil.example/x",
    "file:///etc/passwd",
    "evil.example",
    "..//evil.example",
    "./evil.example",
    "*",
    "",
    " ",
];

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The value of a query parameter of a location.
fn parameter(location: &Url, name: &str) -> Option<String> {
    location.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The URL that Auth.js builds from a `callbackUrl` (`core/lib/init.ts:33-37`): it appends a path to its own origin.
fn authjs_url(own: &Url, value: &str) -> Url {
    let own = origin(own);
    let url = if value.starts_with('/') { Url::parse(&format!("{own}{value}")) } else { Url::parse(value) };
    url.unwrap_or_else(|error| panic!("{value:?}: {error}"))
}

fn guarded_app(builder: Builder<Auth>) -> Router {
    let auth = builder.unauthenticated(Unauthenticated::Redirect).build().unwrap();
    let everything = Router::new().fallback(|| async { "seen" }).layer(auth.require_any_session());
    auth.attach(everything).with_state(auth)
}

/// A guard redirects to the sign-in page with a `callbackUrl` that leads back to this origin.
#[tokio::test]
async fn guard_callback_url_stays_on_this_origin() {
    let upstream = "http://127.0.0.1:9";
    for (builder, own, hosts) in [
        (Auth::builder().upstream_base_url(upstream), "http://localhost", &["localhost"][..]),
        (
            Auth::builder().upstream_base_url(upstream).public_url("https://app.test"),
            "https://app.test",
            &["localhost", "evil.example", "app.test@evil.example", "app.test:443", "[::1]", "a b", ""],
        ),
        (Auth::builder().upstream_base_url(upstream), "http://evil.example", &["evil.example"]),
    ] {
        let own = Url::parse(own).unwrap();
        let app = App::start(guarded_app(builder)).await;
        let (mut redirects, mut with_callback) = (0, 0);
        for host in hosts {
            let targets = TAILS.iter().chain(&WHOLE).map(|tail| (*tail).to_owned());
            let more = [
                "/x?callbackUrl=//evil.example",
                "/x?next=https://evil.example&callbackUrl=/\\evil.example",
                "/x#y",
            ];
            for target in targets.chain(more.map(str::to_owned)) {
                let request = format!(
                    "GET {target} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n"
                );
                for answer in exchange(app.addr, request.as_bytes()).await {
                    assert_ne!(answer.status(), 200, "{target:?}");
                    let [location] = answer.all("location")[..] else { continue };
                    redirects += 1;
                    assert!(
                        location.is_ascii() && !location.contains(['\\', '\t']),
                        "{target:?}: {location}"
                    );
                    let to = own.join(location).unwrap();
                    assert_eq!(
                        (origin(&to), to.path()),
                        (origin(&own), "/api/auth/signin"),
                        "{target:?}: {location}"
                    );
                    let Some(back) = parameter(&to, "callbackUrl") else { continue };
                    with_callback += 1;
                    assert_eq!(
                        origin(&authjs_url(&own, &back)),
                        origin(&own),
                        "{target:?}: back to {back:?}"
                    );
                    // Some servers resolve the callback URL instead of appending it.
                    assert_eq!(
                        origin(&own.join(&back).unwrap()),
                        origin(&own),
                        "{target:?}: back to {back:?}"
                    );
                    // Without `public_url` the callback URL is a path, since the host comes from the client.
                    assert!(
                        back.starts_with('/') || origin(&own) == "https://app.test",
                        "{target:?}: {back:?}"
                    );
                }
            }
        }
        assert!(
            redirects >= 15 * hosts.len() && with_callback >= 10 * hosts.len(),
            "{redirects} {with_callback} at {own}"
        );
    }
}

/// An upstream that redirects to a location that the test sets.
async fn redirecting_upstream() -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let location = Arc::new(Mutex::new(String::new()));
    let shared = Arc::clone(&location);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let location = Arc::clone(&shared);
            tokio::spawn(async move {
                let mut buffer = Vec::new();
                loop {
                    while let Ok(Some(request)) = take(&mut buffer) {
                        let location = location.lock().unwrap().clone();
                        let answer = match request.start.starts_with("POST") {
                            true => {
                                let body = serde_json::json!({ "url": location }).to_string();
                                let length = body.len();
                                format!(
                                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
                                )
                            }
                            false => format!(
                                "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
                            ),
                        };
                        socket.write_all(answer.as_bytes()).await.ok();
                    }
                    let mut piece = [0; 4096];
                    match socket.read(&mut piece).await {
                        Ok(0) | Err(_) => return,
                        Ok(read) => buffer.extend_from_slice(&piece[..read]),
                    }
                }
            });
        }
    });
    (url, location)
}

/// The origin that a browser reaches when this page redirects to this location.
fn resolved_origin(page: &Url, location: &str) -> Option<String> {
    page.join(location).ok().map(|to| origin(&to))
}

/// A location at the upstream is rewritten to this app or forwarded unchanged. Every other location is forwarded
/// unchanged. So rewriting never leads to a third origin.
#[tokio::test]
async fn location_rewriting_creates_no_new_origin() {
    let (url, location) = redirecting_upstream().await;
    let port = url.rsplit_once(':').unwrap().1.to_owned();
    let prefixes = [
        url.clone(),
        format!("{url}/tenant"),
        format!("{url}/tenant/auth"),
        format!("{url}/auth"),
        url.replace("http://", "HTTP://"),
        url.replace("http://", "http:/"),
        url.replace("http://", "http:"),
        url.replace("http://", "http:\\\\"),
        url.replace("http://", "http:///"),
        url.replace("http://", "ht\ttp://"),
        url.replace("http://", "//"),
        url.replace("http://", "http://x@"),
        url.replace("http://", "http://x:y@"),
        url.replace("http://", "https://"),
        url.replace("127.0.0.1", "127.0.0.1."),
        url.replace("127.0.0.1", "0x7f.1"),
        url.replace("127.0.0.1", "%31%32%37.0.0.1"),
        url.replace(&port, &format!("0{port}")),
        "https://app.test".to_owned(),
        "https://app.test/auth".to_owned(),
        "https://APP.test:443/auth".to_owned(),
        "http://localhost/auth".to_owned(),
        "/auth".to_owned(),
        "/tenant/auth".to_owned(),
        String::new(),
    ];
    for (public, page) in [(Some("https://app.test"), "https://app.test"), (None, "http://localhost")] {
        let builder = Auth::builder().upstream_base_url(format!("{url}/tenant")).upstream_base_path("/auth");
        let (app, _browser) = app_of(public.into_iter().fold(builder, Builder::public_url)).await;
        let page = Url::parse(&format!("{page}/api/auth/callback/x")).unwrap();
        let upstream_page = Url::parse(&format!("{url}/tenant/auth/callback/x")).unwrap();
        let (own, upstream_origin) = (origin(&page), origin(&upstream_page));
        let (mut at_upstream, mut foreign, mut rewritten) = (0, 0, 0);
        let all = prefixes.iter().flat_map(|prefix| TAILS.map(|tail| format!("{prefix}{tail}")));
        for location_sent in all.chain(WHOLE.map(str::to_owned)) {
            location_sent.clone_into(&mut location.lock().unwrap());
            for (method, expected) in [("GET", &location_sent), ("POST", &location_sent)] {
                let request = format!(
                    "{method} /api/auth/callback/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                );
                let answers = exchange(app.addr, request.as_bytes()).await;
                let forwarded = redirect_target(&answers);
                // White space around a header value is trimmed; in JSON it is kept.
                let expected = if method == "GET" { expected.trim() } else { expected };
                let intended = resolved_origin(&upstream_page, expected);
                let reached = resolved_origin(&page, &forwarded);
                let is_kept = forwarded == expected;
                rewritten += usize::from(!is_kept);
                match &intended {
                    // `http:x` is a path on an http page but a host on an https page, and `//x` takes the scheme of the
                    // page. Such a location is forwarded unchanged.
                    _ if is_kept && depends_on_page_scheme(expected) => {}
                    Some(intended) if *intended == upstream_origin => {
                        let reached = reached.unwrap_or_default();
                        assert!(
                            reached == own || (is_kept && reached == upstream_origin),
                            "{method} {location_sent:?}: {forwarded:?}"
                        );
                        at_upstream += 1;
                    }
                    Some(intended) if *intended == own => {
                        assert_eq!(reached, Some(own.clone()), "{method} {location_sent:?}: {forwarded:?}");
                    }
                    // Every other location must be forwarded unchanged.
                    _ => {
                        assert!(is_kept, "{method} {location_sent:?}: {forwarded:?}");
                        foreign += 1;
                    }
                }
            }
        }
        assert!(
            at_upstream > 1000 && foreign > 200 && rewritten > 500,
            "{at_upstream} {foreign} {rewritten}"
        );
    }
}

/// Whether this location means something else on http than on https pages (WHATWG URL, "special relative or authority
/// state").
fn depends_on_page_scheme(location: &str) -> bool {
    let location = location.replace('\t', "").replace('\\', "/").to_ascii_lowercase();
    let is_relative = location.starts_with("//");
    is_relative
        || ["http:", "https:"]
            .iter()
            .filter_map(|scheme| location.strip_prefix(scheme))
            .any(|rest| !rest.starts_with("//"))
}

/// The `Location` header or the JSON `url` of the only response.
fn redirect_target(answers: &[Message]) -> String {
    let [answer] = answers else { panic!("{answers:?}") };
    match answer.all("location")[..] {
        [location] => location.to_owned(),
        _ => serde_json::from_str::<serde_json::Value>(&answer.body).unwrap()["url"]
            .as_str()
            .unwrap()
            .to_owned(),
    }
}

/// The `callbackUrl` of a form leads to this origin after a sign-in and after a sign-out.
#[tokio::test]
async fn client_callback_urls_stay_on_this_origin() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let builder = || Auth::builder().upstream_base_url(upstream.url());
    for (builder, public) in [
        (builder(), None),
        (builder().upstream_host(auth_proxy::options::Host::Upstream), None),
        (builder().public_url("https://app.test"), Some("https://app.test")),
    ] {
        let (app, browser) = app_of(builder).await;
        let own = public.map_or_else(|| app.url(""), str::to_owned);
        let page = Url::parse(&format!("{own}/api/auth/callback/credentials")).unwrap();
        let mut checked = 0;
        for asked in TAILS.into_iter().chain(WHOLE) {
            for action in ["callback/credentials", "signout"] {
                let form = [("callbackUrl", asked), ("username", "demo"), ("password", "demo")];
                let answer = browser.post_auth(action, &form).await;
                assert_eq!(answer.status, 302, "{action} {asked:?}: {answer:?}");
                let location = answer.header("location");
                assert_eq!(
                    resolved_origin(&page, location),
                    Some(origin(&page)),
                    "{action} {asked:?}: {location:?}"
                );
                checked += 1;
            }
        }
        assert_eq!(checked, 2 * (TAILS.len() + WHOLE.len()));
    }
}

/// An upstream that receives its own host resolves a relative callback URL against that host, and the visitor would
/// leave this app. The proxy therefore makes the URL absolute.
#[tokio::test]
async fn relative_callback_url_is_made_absolute_for_an_upstream_with_another_host() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let builder = || Auth::builder().upstream_base_url(upstream.url()).public_url("https://app.test");
    let own = "callbackUrl=https%3A%2F%2Fapp%2Etest";
    for (builder, changes) in [
        (builder(), false),
        (builder().upstream_host(auth_proxy::options::Host::Upstream), true),
        (builder().upstream_host(auth_proxy::options::Host::Literal("auth.test".to_owned())), true),
        (builder().upstream_host(auth_proxy::options::Host::Literal("app.test".to_owned())), false),
        (
            Auth::builder()
                .upstream_base_url(upstream.url())
                .upstream_host(auth_proxy::options::Host::Upstream),
            false,
        ),
    ] {
        let (_app, browser) = app_of(builder).await;
        for page in ["signin", "signout"] {
            upstream.forget_seen();
            for (sent, prefix) in [
                ("a=%41&callbackUrl=/x%3Fy&b=+", own),
                ("callbackUrl=%2F%2Fevil.example", ""),
                ("callbackUrl=/%5Cevil.example", ""),
                ("callbackUrl=https://evil.example/", ""),
            ] {
                browser.get(&format!("/api/auth/{page}?{sent}")).await;
                let seen = upstream.seen().pop().unwrap();
                let expected = match prefix {
                    "" => sent.to_owned(),
                    own if changes => sent.replace("callbackUrl=", own),
                    _ => sent.to_owned(),
                };
                assert_eq!(seen.uri.query(), Some(expected.as_str()), "{page}");
            }
        }
    }
}
