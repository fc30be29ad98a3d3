//! The sign-in routes of the fake, with the responses of `@auth/core`.

use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::json;

use super::answer::Answer;
use super::cookies::cookie;
use super::mint::unix_now;
use super::pages;
use super::request::FakeRequest;
use super::state::{Fake, SeenRequest};
use crate::config::Strategy;
use crate::cookie::Candidate;
use crate::token::{Decoder, Demands};

/// Responds to one request as `@auth/core` does (`docs/authjs.md#routes`).
pub(super) fn answer(fake: &Fake, seen: &SeenRequest, body: &[u8], database_is_down: bool) -> Response {
    let base_path = &fake.settings.base_path;
    let Some(action) = seen.uri.path().strip_prefix(base_path) else {
        return Answer::bad_request().done();
    };
    let request = FakeRequest::new(fake, seen, body);
    let answer = match (&seen.method, action.trim_matches('/')) {
        (&Method::GET, "providers") => providers(&request),
        (&Method::GET, "csrf") => {
            Answer::json(StatusCode::OK, json!({ "csrfToken": request.csrf.token }).to_string())
                .uncached()
                .cookies(request.helper_cookies())
        }
        (&Method::GET, "signin") => {
            let page = pages::sign_in(
                base_path,
                &request.csrf.token,
                &request.callback_url(),
                request.query.get("error").map(String::as_str),
            );
            Answer::html(page).cookies(request.helper_cookies())
        }
        (&Method::GET, "signout") => {
            Answer::html(pages::sign_out(base_path, &request.csrf.token, &request.callback_url()))
                .cookies(request.helper_cookies())
        }
        // `docs/authjs.md#session-database-failure`: a failure of the database looks like a missing cookie.
        (&Method::GET, "session") if database_is_down && fake.settings.strategy == Strategy::Database => {
            signed_out(&request)
        }
        (&Method::GET, "session") => session(&request),
        (&Method::POST, "callback/credentials" | "signout" | "signin") if !request.has_valid_csrf_token() => {
            request
                .redirect(&format!("{}{base_path}/signin?error=MissingCSRF", request.origin))
                .cookies(request.helper_cookies())
        }
        (&Method::POST, "callback/credentials") => sign_in(&request),
        (&Method::POST, "signout") => sign_out(&request),
        (_, "signup") if fake.settings.is_robo() => request.sign_up(),
        _ => Answer::bad_request(),
    };
    answer.done()
}

fn providers(request: &FakeRequest<'_>) -> Answer {
    let base = format!("{}{}", request.origin, request.fake.settings.base_path);
    let credentials = json!({
        "id": "credentials",
        "name": "Credentials",
        "type": "credentials",
        "signinUrl": format!("{base}/signin/credentials"),
        "callbackUrl": format!("{base}/callback/credentials"),
    });
    Answer::json(StatusCode::OK, json!({ "credentials": credentials }).to_string())
}

/// `docs/authjs.md#session-renew`: both strategies set the cookie again on every GET.
fn session(request: &FakeRequest<'_>) -> Answer {
    let settings = &request.fake.settings;
    let is_opaque = settings.strategy == Strategy::Database;
    let candidate = Candidate::of(&request.seen.headers, &[&settings.cookie_name], is_opaque);
    let Ok(Some(credential)) = candidate else { return signed_out(request) };
    let found = credential.token().ok().and_then(|value| match settings.strategy {
        Strategy::Jwt => {
            let secret = zeroize::Zeroizing::new(settings.secret.clone());
            let format = settings.token_format();
            let decoder = Decoder::new(format, &[secret], &settings.cookie_name, Demands::NONE).ok()?;
            let claims = decoder.decode(&value, unix_now()).ok()?;
            let token = request.fake.token(&claims);
            Some((claims, token))
        }
        Strategy::Database | _ => {
            let claims = request.fake.memory().sessions.get(&*value).cloned()?;
            Some((claims, value.into_owned()))
        }
    });
    let mut cookies = request.helper_cookies();
    let body = match found {
        Some((claims, token)) => {
            cookies.extend(request.session_cookies(&token));
            request.session_json(&claims, &token).to_string()
        }
        None => {
            cookies.extend(request.cleared_session_cookies());
            no_session(request.fake).to_owned()
        }
    };
    Answer::json(StatusCode::OK, body).uncached().cookies(cookies)
}

fn signed_out(request: &FakeRequest<'_>) -> Answer {
    let body = no_session(request.fake).to_owned();
    Answer::json(StatusCode::OK, body).uncached().cookies(request.helper_cookies())
}

/// The body of `/session` without a session (`docs/authjs.md#session-absent` and `#session-absent-v4`).
fn no_session(fake: &Fake) -> &'static str {
    if fake.settings.is_next_auth_v4() { "{}" } else { "null" }
}

fn sign_in(request: &FakeRequest<'_>) -> Answer {
    let given = |name: &str| request.form.get(name).map(String::as_str).unwrap_or_default();
    // Robo's own form calls the field `email`.
    let login = request.form.get("username").or_else(|| request.form.get("email"));
    let fake = request.fake;
    let account = {
        let memory = fake.memory();
        let mut accounts = fake.settings.accounts.iter().chain(&memory.accounts);
        accounts
            .find(|account| Some(&account.login) == login && account.password == given("password"))
            .cloned()
    };
    match account {
        Some(account) => request.signed_in(&account),
        None => {
            let refused = request.redirect(&format!(
                "{}{}/signin?error=CredentialsSignin&code=credentials",
                request.origin, fake.settings.base_path
            ));
            let cookie = request.changed_callback_cookie().filter(|_| fake.settings.is_next_auth_v4());
            refused.cookies(cookie.into_iter().collect())
        }
    }
}

fn sign_out(request: &FakeRequest<'_>) -> Answer {
    if let Some(value) = cookie(request.seen, &request.fake.settings.cookie_name) {
        request.fake.memory().sessions.remove(&value);
    }
    request.redirect(&request.callback_url()).cookies(request.cleared_session_cookies())
}
