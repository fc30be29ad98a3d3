//! Responses in which a Robo.js server with `@robojs/auth` differs from Auth.js, as observed on a running server.

use axum::response::Response;
use http::header::{ALLOW, HOST};
use http::{Method, StatusCode};

use super::answer::Answer;
use super::state::{Fake, SeenRequest};

/// Whether Robo never responds to this request. Robo builds a URL from the scheme and the host. If one is invalid, its
/// handler throws and no response is written (`docs/authjs.md#origin-robo`).
pub(super) fn never_answers(seen: &SeenRequest) -> bool {
    let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap_or(" "));
    let scheme =
        header("x-forwarded-proto").map_or("http", |text| text.split(',').next().unwrap_or_default().trim());
    let host = header(HOST.as_str()).unwrap_or_default();
    !matches!(scheme, "http" | "https")
        || auth_proxy_rules::host(host).is_err()
        || seen.method == Method::TRACE
}

/// Robo's own response (`docs/authjs.md#routes-robo`), or `None` where Robo responds as Auth.js does. An unknown path
/// is 200 with a JSON string (`docs/authjs.md#not-found-robo`).
pub(super) fn answer(fake: &Fake, seen: &SeenRequest) -> Option<Response> {
    let action = seen.uri.path().strip_prefix(&fake.settings.base_path).unwrap_or_default();
    let action = action.strip_suffix('/').unwrap_or(action);
    let allow = match action {
        "/providers" | "/session" | "/csrf" | "/verify-request" | "/error" => "GET",
        "/signout" => "POST",
        "/signup" => return None,
        "/signin" => "GET, POST",
        _ if action.starts_with("/signin/") || action.starts_with("/callback/") => "GET, POST",
        _ => return Some(Answer::json(StatusCode::OK, "\"API Route not found.\"".to_owned()).done()),
    };
    if seen.method == Method::HEAD && allow != "POST" {
        return Some(Answer::bad_request().done());
    }
    let allowed = allow.split(", ").any(|method| method == seen.method.as_str());
    let refuse = || Answer::json(StatusCode::METHOD_NOT_ALLOWED, String::new()).header(ALLOW, allow).done();
    (!allowed).then(refuse)
}
