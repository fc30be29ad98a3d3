//! A request to the fake, with its parameters and CSRF state, and helpers that several routes share.

use std::collections::HashMap;
use std::time::SystemTime;

use http::StatusCode;
use http::header::{CONTENT_TYPE, HOST};

use super::account::Account;
use super::answer::Answer;
use super::cookies::{Csrf, callback_cookie, cookie, cookies, random_hex};
use super::state::{Fake, SeenRequest};
use crate::config::Strategy;

/// The names of the cookies beside the session cookie, without their prefix.
const CSRF: &str = "csrf-token";
const CALLBACK_URL: &str = "callback-url";

type Form = HashMap<String, String>;

/// A request and its parameters.
pub(super) struct FakeRequest<'a> {
    pub(super) fake: &'a Fake,
    pub(super) seen: &'a SeenRequest,
    /// Scheme and host by which the client knows the fake.
    pub(super) origin: String,
    pub(super) query: Form,
    pub(super) form: Form,
    pub(super) csrf: Csrf,
}

impl<'a> FakeRequest<'a> {
    pub(super) fn new(fake: &'a Fake, seen: &'a SeenRequest, body: &[u8]) -> Self {
        let header = |name: &str| seen.headers.get(name).and_then(|value| value.to_str().ok());
        let is_json = header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/json"));
        let form = if is_json {
            serde_json::from_slice(body).unwrap_or_default()
        } else {
            serde_urlencoded::from_bytes(body).unwrap_or_default()
        };
        let csrf = match cookie(seen, &fake.settings.helper_cookie(CSRF)) {
            Some(value) if Csrf::is_genuine(&value, &fake.settings.secret) => {
                Csrf { token: value.split('|').next().unwrap_or_default().to_owned(), sent: true }
            }
            _ => Csrf { token: random_hex(), sent: false },
        };
        Self {
            fake,
            seen,
            origin: format!(
                "{}://{}",
                header("x-forwarded-proto").unwrap_or("http"),
                header(HOST.as_str()).unwrap_or("localhost")
            ),
            query: seen
                .uri
                .query()
                .and_then(|query| serde_urlencoded::from_str(query).ok())
                .unwrap_or_default(),
            form,
            csrf,
        }
    }

    /// The redirect that ends a sign-in, with the session cookie.
    pub(super) fn signed_in(&self, account: &Account) -> Answer {
        let callback = self.callback_url();
        let strategy = self.fake.settings.strategy;
        let is_robo_database = self.fake.settings.is_robo() && strategy == Strategy::Database;
        let mut cookies = Vec::new();
        if strategy == Strategy::Jwt || is_robo_database {
            // With Robo's database sessions this is the token that Auth.js makes first. It opens no session.
            cookies.extend(self.session_cookies(&self.fake.token(&account.claims)));
        }
        if strategy == Strategy::Database && !(is_robo_database && self.wants_json()) {
            let token = self.fake.new_session(account.claims.clone());
            cookies.extend(self.session_cookies(&token));
        }
        if self.fake.settings.is_next_auth_v4() {
            cookies.extend(self.changed_callback_cookie());
        } else {
            cookies.push(self.callback_cookie(&callback));
        }
        self.redirect(&callback).cookies(cookies)
    }

    pub(super) fn redirect(&self, to: &str) -> Answer {
        if self.fake.settings.is_next_auth_v4() && self.wants_json() {
            return Answer::json(StatusCode::OK, serde_json::json!({ "url": to }).to_string());
        }
        Answer::redirect(to, self.wants_json())
    }

    /// `docs/authjs.md#return-redirect` and `#return-redirect-v4`.
    fn wants_json(&self) -> bool {
        if self.fake.settings.is_next_auth_v4() {
            return self.form.get("json").is_some_and(|json| json == "true");
        }
        self.seen.headers.contains_key("x-auth-return-redirect")
    }

    /// The `Set-Cookie` value of the callback URL, if it is another one than the browser's. next-auth 4 sets it with any
    /// answer to a form.
    pub(super) fn changed_callback_cookie(&self) -> Option<String> {
        let callback = self.callback_url();
        let known = cookie(self.seen, &self.fake.settings.helper_cookie(CALLBACK_URL));
        (known.as_ref() != Some(&callback)).then(|| self.callback_cookie(&callback))
    }

    fn callback_cookie(&self, url: &str) -> String {
        callback_cookie(&self.fake.settings.helper_cookie(CALLBACK_URL), url)
    }

    /// Whether the form carries the token of the CSRF cookie.
    pub(super) fn has_valid_csrf_token(&self) -> bool {
        self.csrf.sent && self.form.get("csrfToken") == Some(&self.csrf.token)
    }

    /// Where the browser goes next. Like the default redirect callback (`docs/authjs.md#callback-url`), this accepts
    /// only paths and URLs of this origin.
    pub(super) fn callback_url(&self) -> String {
        let requested = self.form.get("callbackUrl").or_else(|| self.query.get("callbackUrl")).cloned();
        let remembered = || cookie(self.seen, &self.fake.settings.helper_cookie(CALLBACK_URL));
        match requested.or_else(remembered) {
            Some(path) if path.starts_with('/') && !path.starts_with("//") => {
                format!("{}{path}", self.origin)
            }
            Some(url) if url == self.origin || url.starts_with(&format!("{}/", self.origin)) => url,
            _ => self.origin.clone(),
        }
    }

    /// The `Set-Cookie` values that set the session cookie.
    pub(super) fn session_cookies(&self, token: &str) -> Vec<String> {
        let expires = httpdate::fmt_http_date(SystemTime::now() + self.fake.settings.max_age);
        let pairs = self.fake.cookie_pairs(token).into_iter();
        pairs
            .map(|(name, value)| format!("{name}={value}; Path=/; Expires={expires}; HttpOnly; SameSite=Lax"))
            .collect()
    }

    /// The `Set-Cookie` values that clear the session cookie, with each chunk that the browser sent.
    pub(super) fn cleared_session_cookies(&self) -> Vec<String> {
        let name = &self.fake.settings.cookie_name;
        let is_chunk =
            |sent: &str| sent.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'));
        let chunks = cookies(self.seen).into_iter().map(|(sent, _)| sent).filter(|sent| is_chunk(sent));
        let mut names: Vec<_> = chunks.collect();
        if names.is_empty() || cookie(self.seen, name).is_some() {
            names.push(name.clone());
        }
        names.into_iter().map(|name| format!("{name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax")).collect()
    }

    /// The `Set-Cookie` values of the CSRF and callback-URL cookies that the browser lacks.
    pub(super) fn helper_cookies(&self) -> Vec<String> {
        let mut cookies = Vec::new();
        if !self.csrf.sent {
            let hash = Csrf::hash(&self.csrf.token, &self.fake.settings.secret);
            let (name, token) = (self.fake.settings.helper_cookie(CSRF), &self.csrf.token);
            cookies.push(format!("{name}={token}%7C{hash}; Path=/; HttpOnly; SameSite=Lax"));
        }
        let name = self.fake.settings.helper_cookie(CALLBACK_URL);
        if cookie(self.seen, &name).is_none() || self.query.contains_key("callbackUrl") {
            cookies.push(callback_cookie(&name, &self.callback_url()));
        }
        cookies
    }
}
