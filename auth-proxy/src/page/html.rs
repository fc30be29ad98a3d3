//! The HTML of the default error page.

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::error::{AuthError, Outcome};

/// The default error page: constant texts and the error code. It has no data from the request and no script, and loads
/// nothing. If a content security policy forbids its inline style (`default-src 'none'`), it is shown unstyled.
pub(super) fn page(error: &AuthError) -> Response {
    let (title, text) = heading_and_text(error);
    let code = error.code();
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n<p>{text}</p>\n<p><small>Code: <code>{code}</code></small></p>\n\
         </main>\n</body>\n</html>\n"
    );
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// The heading and the text. All upstream errors have the same text, since the visitor can only try again.
fn heading_and_text(error: &AuthError) -> (&'static str, &'static str) {
    match (error.outcome(), error.code()) {
        (_, "cross_origin_refused") => (
            "This was not done",
            "Another website asked for it in your name, which this site does not allow. \
             If you meant to do it, open this site and do it there.",
        ),
        (_, "step_up_required") => (
            "Sign in again",
            "This page needs a newer or stronger sign-in than yours. Load it once more to sign in again. \
             If that does not help, tell the people who run this site.",
        ),
        (_, "sign_in_time_unknown") => (
            "Something is wrong with this site",
            "This page needs a recent sign-in, and this site cannot tell when you signed in. \
             If it stays so, tell the people who run this site.",
        ),
        (Outcome::Forbidden, _) => (
            "You may not open this page",
            "You are signed in, but your account may not do this. \
             If you think that it should, ask the people who run this site.",
        ),
        (_, "policy_unavailable") => (
            "This page is not available",
            "This site cannot tell right now whether your account may open this page. Try again in a moment. \
             This does not sign you out.",
        ),
        (_, "host_unknown") => (
            "This address is not known",
            "This site does not answer at the address that you used. Open it at its usual address. \
             If that does not help, tell the people who run this site.",
        ),
        (_, "user_mismatch" | "claims_mismatch") => (
            "Something is wrong with this site",
            "It could not read your account. This is not your fault. If it stays so, tell the people who run this site.",
        ),
        (_, "app_unreachable" | "app_failed" | "app_timeout") => (
            "This page is not available",
            "The app behind this site does not answer right now. Try again in a moment. This does not sign you out.",
        ),
        (_, "sign_in_limited") => (
            "Too many attempts",
            "Somebody tried to sign in too often here or with this account. Wait a moment, and try again.",
        ),
        _ => (
            "Sign-in is not available",
            "The sign-in service is not available right now. Try again in a moment. This does not sign you out.",
        ),
    }
}

/// The style sheet. It uses the browser's own light and dark colours.
const STYLE: &str = ":root{color-scheme:light dark}\
body{margin:0;padding:15vh 1.5rem 2rem;font:1.0625rem/1.6 system-ui,sans-serif}\
main{max-width:34rem;margin:0 auto}\
h1{margin:0 0 .75rem;font-size:1.6rem;line-height:1.25}\
p{margin:0 0 1.25rem}\
small{opacity:.75;overflow-wrap:anywhere}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;

    #[tokio::test]
    async fn error_pages_have_no_script_no_link_and_no_resource() {
        for reason in Reason::ALL {
            let error = AuthError::new(reason);
            let body = axum::body::to_bytes(page(&error).into_body(), 4096).await.unwrap();
            let text = std::str::from_utf8(&body).unwrap();
            let code = error.code();
            assert!(text.contains(&format!("<code>{code}</code>")), "{code}");
            let lower = text.to_lowercase();
            for never in
                ["<script", "<a ", "<img", "<link", "<form", "http", "src=", "href=", "url(", "@import"]
            {
                assert!(!lower.contains(never), "{code}: {never}");
            }
            assert!(text.contains("<html lang=\"en\">") && text.contains("name=\"viewport\""));
        }
    }
}
