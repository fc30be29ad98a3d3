use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use url::Url;

use crate::input::message;
use crate::world;

/// An app over plain http, where cookie names lose their prefixes, and an app over https whose base path differs from
/// the upstream's.
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
/// Property: a redirect leads where the upstream says, or to this app in place of the upstream. The number of cookies
/// stays the same, and the upstream gets them back under its own names.
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
        check_cookies(app, &input.headers, &parts.headers);
        check_body(own, &method, &input.headers, input.body, &body);
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
fn check_location(own: &str, original: Option<String>, rewritten: Option<String>) {
    let (Some(original), Some(rewritten)) = (&original, &rewritten) else {
        return assert_eq!(original, rewritten);
    };
    let target = host(&format!("{own}/api/auth/signin"), rewritten);
    let upstream = "http://auth.internal:3000/tenant/login/signin";
    let original_target = host(upstream, original);
    if original == rewritten {
        return;
    }
    assert!(target.as_deref() == Some(own), "{original:?} became {rewritten:?}");
    assert!(
        original_target.is_none()
            || original_target.as_deref() == Some("http://auth.internal:3000")
            || original_target.as_deref() == Some(own),
        "{original:?} became {rewritten:?}"
    );
}

fn check_cookies(app: &Router, original: &HeaderMap, rewritten: &HeaderMap) {
    let pair = |line: &HeaderValue| {
        line.as_bytes().split(|byte| *byte == b';').next().unwrap().trim_ascii().to_vec()
    };
    let original: Vec<_> = original.get_all(SET_COOKIE).iter().map(pair).collect();
    let rewritten: Vec<_> = rewritten.get_all(SET_COOKIE).iter().map(pair).collect();
    assert_eq!(original.len(), rewritten.len());
    for (original, rewritten) in original.iter().zip(&rewritten) {
        let Ok(cookie) = HeaderValue::from_bytes(rewritten) else { continue };
        // A changed name must be changed back in the next request.
        if original == rewritten {
            continue;
        }
        world::upstream(None);
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = "/api/auth/providers".parse().unwrap();
        request.headers_mut().insert(COOKIE, cookie);
        request.headers_mut().insert(HOST, HeaderValue::from_static("app.example.com"));
        world::call(app, request);
        let forwarded = world::take_requests();
        let back =
            forwarded.first().and_then(|forwarded| forwarded.headers.get(COOKIE)).map(HeaderValue::as_bytes);
        // Auth.js joins all cookies whose names start with that of the session cookie. So the proxy forwards none of
        // these cookies that is not part of the session token, is empty, or is not UTF-8.
        let is_no_token = |value: &[u8]| value.trim_ascii().is_empty() || std::str::from_utf8(value).is_err();
        let is_stray = original
            .strip_prefix(b"__Secure-authjs.session-token")
            .is_some_and(|rest| rest.strip_prefix(b"=").is_none_or(is_no_token));
        if !(back.is_none() && is_stray) {
            assert_eq!(back, Some(original.as_slice()), "{}", String::from_utf8_lossy(rewritten));
        }
    }
}

fn check_body(own: &str, method: &Method, headers: &HeaderMap, original: &[u8], rewritten: &[u8]) {
    let json = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"application/json"));
    if original == rewritten {
        return;
    }
    assert!(
        json && *method == Method::POST,
        "the body was changed, but it is not the JSON response to a form"
    );
    let mut original: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(original).unwrap();
    let mut rewritten: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(rewritten).unwrap();
    let (was, is) = (original.remove("url"), rewritten.remove("url"));
    assert_eq!(original, rewritten);
    let url = |url: Option<serde_json::Value>| url.unwrap().as_str().map(str::to_owned);
    check_location(own, url(was), url(is));
}
