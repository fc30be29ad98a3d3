use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use http::header::{COOKIE, HOST, VIA};
use http::{HeaderName, Method, Request, Uri};
use url::Url;

use crate::input::message;
use crate::world;

/// An app whose base path differs from the upstream's.
static APP: LazyLock<Router> = LazyLock::new(|| {
    let builder = world::builder().public_url("https://app.example.com").upstream_base_path("/login");
    builder.build().unwrap().router()
});

const UPSTREAM: &str = "http://auth.internal:3000";
const BASE: &str = "/tenant/login";

/// Input: `METHOD target`, headers, a body.
///
/// Property: no request leaves the base path or the host of the upstream, replaces a header of the app, or causes a
/// 5xx.
pub fn request(data: &[u8]) {
    let input = message(data);
    let mut words = input.first.splitn(2, |byte| *byte == b' ');
    let (Some(Ok(method)), Some(Ok(uri))) =
        (words.next().map(Method::from_bytes), words.next().map(Uri::try_from))
    else {
        return;
    };
    let mut request = Request::new(Body::from(input.body.to_vec()));
    *request.method_mut() = method.clone();
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = input.headers;
    world::upstream(None);
    let (answer, _) = world::call(&APP, request);
    // The upstream always succeeds, so a 5xx comes from the proxy. 508 (a loop) is allowed: libFuzzer observes
    // comparisons, so it can learn the secret name in `Via`, which a client cannot.
    assert!(answer.status.as_u16() < 500 || answer.status == 508, "{}", answer.status);
    for forwarded in world::take_requests() {
        let safe = [Method::GET, Method::HEAD];
        assert!(forwarded.method == method || safe.contains(&forwarded.method) && safe.contains(&method));
        assert_ne!(forwarded.method, Method::CONNECT);
        stays_below(&forwarded.uri);
        assert_eq!(forwarded.uri.query(), uri.query(), "the query must be forwarded unchanged");
        has_the_headers_of_the_app(&forwarded.headers);
    }
}

/// Asserts that the path stays below the base path when a server decodes or normalises it in any of these ways.
fn stays_below(uri: &Uri) {
    let text = uri.to_string();
    assert!(text.starts_with(UPSTREAM), "{text}");
    let mut path = uri.path().to_owned();
    for _ in 0..3 {
        for path in [path.clone(), path.replace('\\', "/"), without_parameters(&path), path.to_lowercase()] {
            let mut url = Url::parse(UPSTREAM).unwrap();
            url.set_path(&path);
            let below = url.path().strip_prefix(BASE);
            assert!(below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')), "{path}: {url}");
            let url = Url::parse(&format!("{UPSTREAM}{path}")).unwrap();
            assert_eq!(url.host_str(), Some("auth.internal"));
            assert!(url.path().starts_with(BASE), "{path}: {url}");
        }
        path = percent_decoded(&path);
    }
}

fn without_parameters(path: &str) -> String {
    path.split('/').map(|segment| segment.split(';').next().unwrap()).collect::<Vec<_>>().join("/")
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn has_the_headers_of_the_app(headers: &http::HeaderMap) {
    let all = |name: &HeaderName| -> Vec<_> {
        headers.get_all(name).iter().map(|v| v.as_bytes().to_vec()).collect()
    };
    assert_eq!(all(&HOST), [b"app.example.com"]);
    for (name, value) in
        [("x-forwarded-host", "app.example.com"), ("x-forwarded-proto", "https"), ("x-api-key", "k3y")]
    {
        assert_eq!(all(&HeaderName::from_static(name)), [value.as_bytes()], "{name}");
    }
    assert!(all(&COOKIE).len() <= 1);
    assert!(all(&VIA).last().unwrap().starts_with(b"1.1 auth-proxy-"));
    for name in headers.keys().map(HeaderName::as_str) {
        let known = ["x-forwarded-host", "x-forwarded-proto"].contains(&name);
        assert!(known || !name.starts_with("x-forwarded-"), "{name}");
        assert!(
            ![
                "connection",
                "keep-alive",
                "proxy-authenticate",
                "proxy-authorization",
                "proxy-connection",
                "te",
                "trailer",
                "transfer-encoding",
                "upgrade",
                "expect",
                "content-length",
                "x-real-ip",
            ]
            .contains(&name),
            "{name}"
        );
    }
}
