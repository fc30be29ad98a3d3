use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use url::Url;

use crate::input::message;
use crate::world;

/// An app on plain http, where cookies lose their prefixes, and one on https with another base path than the upstream.
static APPS: LazyLock<[(Router, &str); 2]> = LazyLock::new(|| {
    let http = world::builder()
        .public_url("http://app.example.com")
        .upstream_cookie_name("__Secure-authjs.session-token");
    let https = world::builder().public_url("https://app.example.com").upstream_base_path("/login");
    [
        (http.build().unwrap().router(), "http://app.example.com"),
        (https.build().unwrap().router(), "https://app.example.com"),
    ]
});

/// Input: the status of an upstream response, headers, a body. A `+` before the status makes it the response to a form.
///
/// Property: a redirect leads where the upstream says, or to this app in place of the upstream. The number of cookies stays
/// the same, and the upstream gets them back under its own names.
pub fn response(data: &[u8]) {
    let input = message(data);
    let (method, status) = match input.first.strip_prefix(b"+") {
        Some(status) => (Method::POST, status),
        None => (Method::GET, input.first),
    };
    let Ok(status) = StatusCode::from_bytes(status) else { return };
    for (app, own) in &*APPS {
        let mut answer = Response::new(Body::from(input.body.to_vec()));
        *answer.status_mut() = status;
        *answer.headers_mut() = input.headers.clone();
        world::upstream(Some(answer));
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method.clone();
        *request.uri_mut() = "/api/auth/signin".parse().unwrap();
        request.headers_mut().insert(HOST, HeaderValue::from_static("app.example.com"));
        let (parts, body) = world::call(app, request);
        if status.is_informational() {
            assert_eq!(parts.status, StatusCode::BAD_GATEWAY);
            continue;
        }
        assert_eq!(parts.status, status);
        let location = |headers: &HeaderMap| headers.get(LOCATION).map(|url| text(url.as_bytes()));
        check_location(own, location(&input.headers), location(&parts.headers));
        same_cookies(app, &input.headers, &parts.headers);
        same_body(own, &method, &input.headers, input.body, &body);
        for name in ["connection", "transfer-encoding", "keep-alive", "upgrade", "trailer", "alt-svc"] {
            assert!(!parts.headers.contains_key(name), "{name}");
        }
    }
}

fn host(base: &str, url: &str) -> Option<String> {
    Some(Url::parse(base).unwrap().join(url).ok()?.origin().ascii_serialization())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Asserts that a location is unchanged, or that a location at the upstream now leads to this app.
fn check_location(own: &str, said: Option<String>, says: Option<String>) {
    let (Some(said), Some(says)) = (&said, &says) else { return assert_eq!(said, says) };
    let here = host(&format!("{own}/api/auth/signin"), says);
    let upstream = "http://auth.internal:3000/tenant/login/signin";
    let there = host(upstream, said);
    if said == says {
        return;
    }
    assert!(here.as_deref() == Some(own), "{said:?} became {says:?}");
    assert!(
        there.is_none()
            || there.as_deref() == Some("http://auth.internal:3000")
            || there.as_deref() == Some(own),
        "{said:?} became {says:?}"
    );
}

fn same_cookies(app: &Router, said: &HeaderMap, says: &HeaderMap) {
    let pair = |line: &HeaderValue| {
        line.as_bytes().split(|byte| *byte == b';').next().unwrap().trim_ascii().to_vec()
    };
    let said: Vec<_> = said.get_all(SET_COOKIE).iter().map(pair).collect();
    let says: Vec<_> = says.get_all(SET_COOKIE).iter().map(pair).collect();
    assert_eq!(said.len(), says.len());
    for (said, says) in said.iter().zip(&says) {
        let Ok(cookie) = HeaderValue::from_bytes(says) else { continue };
        // A changed name must be changed back in the next request.
        if said == says {
            continue;
        }
        world::upstream(None);
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = "/api/auth/providers".parse().unwrap();
        request.headers_mut().insert(COOKIE, cookie);
        request.headers_mut().insert(HOST, HeaderValue::from_static("app.example.com"));
        world::call(app, request);
        let asked = world::asked();
        let back = asked.first().and_then(|asked| asked.headers.get(COOKIE)).map(HeaderValue::as_bytes);
        // Auth.js joins every cookie whose name starts with that of the session cookie, so other such cookies are not
        // forwarded, nor are empty ones.
        let is_stray = said
            .strip_prefix(b"__Secure-authjs.session-token")
            .is_some_and(|rest| rest.strip_prefix(b"=").is_none_or(|value| value.trim_ascii().is_empty()));
        if !(back.is_none() && is_stray) {
            assert_eq!(back, Some(said.as_slice()), "{}", String::from_utf8_lossy(says));
        }
    }
}

fn same_body(own: &str, method: &Method, headers: &HeaderMap, said: &[u8], says: &[u8]) {
    let json = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"application/json"));
    if said == says {
        return;
    }
    assert!(json && *method == Method::POST, "a body was changed that is not JSON of a form");
    let mut said: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(said).unwrap();
    let mut says: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(says).unwrap();
    let (was, is) = (said.remove("url"), says.remove("url"));
    assert_eq!(said, says);
    let url = |url: Option<serde_json::Value>| url.unwrap().as_str().map(str::to_owned);
    check_location(own, url(was), url(is));
}
