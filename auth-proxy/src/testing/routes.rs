use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::response::Response;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, StatusCode};
use serde_json::json;

use super::answer::Answer;
use super::cookies::{Csrf, callback_cookie, cookie, httpdate, random_hex};
use super::fake::{Account, Fake, SeenRequest};
use super::pages;
use crate::config::Strategy;
use crate::cookie::Candidate;
use crate::token::{Decoder, Demands};

type Form = HashMap<String, String>;

/// Answers one request as `@auth/core` does (`core/lib/index.ts`).
pub(super) fn answer(fake: &Fake, seen: &SeenRequest, body: &[u8]) -> Response {
    let Some(action) = seen.uri.path().strip_prefix(&fake.base_path) else {
        return Answer::bad_request().done();
    };
    let visit = Visit::new(fake, seen, body);
    let answer = match (&seen.method, action.trim_matches('/')) {
        (&Method::GET, "providers") => visit.providers(),
        (&Method::GET, "csrf") => {
            Answer::json(StatusCode::OK, json!({ "csrfToken": visit.csrf.token }).to_string())
                .uncached()
                .cookies(visit.own_cookies())
        }
        (&Method::GET, "signin") => {
            let page = pages::sign_in(
                &fake.base_path,
                &visit.csrf.token,
                &visit.callback_url(),
                visit.query.get("error").map(String::as_str),
            );
            Answer::html(page).cookies(visit.own_cookies())
        }
        (&Method::GET, "signout") => {
            Answer::html(pages::sign_out(&fake.base_path, &visit.csrf.token, &visit.callback_url()))
                .cookies(visit.own_cookies())
        }
        (&Method::GET, "session") => visit.session(),
        (&Method::POST, "callback/credentials" | "signout" | "signin") if !visit.csrf_holds() => visit
            .redirect(&format!("{}{}/signin?error=MissingCSRF", visit.origin, fake.base_path))
            .cookies(visit.own_cookies()),
        (&Method::POST, "callback/credentials") => visit.sign_in(),
        (&Method::POST, "signout") => visit.sign_out(),
        (_, "signup") if fake.robo => visit.sign_up(),
        _ => Answer::bad_request(),
    };
    answer.done()
}

/// One request, its parameters read.
pub(super) struct Visit<'a> {
    pub(super) fake: &'a Fake,
    pub(super) seen: &'a SeenRequest,
    pub(super) origin: String,
    query: Form,
    pub(super) form: Form,
    csrf: Csrf,
}

impl<'a> Visit<'a> {
    fn new(fake: &'a Fake, seen: &'a SeenRequest, body: &[u8]) -> Self {
        let header = |name: &str| seen.headers.get(name).and_then(|value| value.to_str().ok());
        let is_json = header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/json"));
        let form = if is_json {
            serde_json::from_slice(body).unwrap_or_default()
        } else {
            serde_urlencoded::from_bytes(body).unwrap_or_default()
        };
        let csrf = match cookie(seen, "authjs.csrf-token") {
            Some(value) if Csrf::is_ours(&value, &fake.secret) => {
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

    fn providers(&self) -> Answer {
        let base = format!("{}{}", self.origin, self.fake.base_path);
        let credentials = json!({
            "id": "credentials",
            "name": "Credentials",
            "type": "credentials",
            "signinUrl": format!("{base}/signin/credentials"),
            "callbackUrl": format!("{base}/callback/credentials"),
        });
        Answer::json(StatusCode::OK, json!({ "credentials": credentials }).to_string())
    }

    /// `core/lib/actions/session.ts`: both strategies set the cookie on every GET.
    fn session(&self) -> Answer {
        let names = [&self.fake.cookie_name];
        let opaque = self.fake.strategy == Strategy::Database;
        let Ok(Some(credential)) = Candidate::of(&self.seen.headers, &names, opaque) else {
            return Answer::json(StatusCode::OK, "null".to_owned()).uncached().cookies(self.own_cookies());
        };
        let found = credential.token().ok().and_then(|value| match self.fake.strategy {
            Strategy::Jwt => {
                let secret = zeroize::Zeroizing::new(self.fake.secret.clone());
                let decoder = Decoder::new(
                    crate::config::TokenFormat::Encrypted,
                    &[secret],
                    &self.fake.cookie_name,
                    Demands::NONE,
                )
                .ok()?;
                let claims = decoder.decode(&value, now()).ok()?;
                let token = self.fake.token(&claims);
                Some((claims, token))
            }
            _ => {
                let claims = self.fake.memory().sessions.get(&*value).cloned()?;
                Some((claims, value.into_owned()))
            }
        });
        let mut cookies = self.own_cookies();
        let body = match found {
            Some((claims, token)) => {
                cookies.extend(self.session_cookies(&token));
                self.session_json(&claims, &token).to_string()
            }
            None => {
                cookies.push(self.cleared());
                "null".to_owned()
            }
        };
        Answer::json(StatusCode::OK, body).uncached().cookies(cookies)
    }

    fn sign_in(&self) -> Answer {
        let given = |name: &str| self.form.get(name).map(String::as_str).unwrap_or_default();
        // Robo's own form calls it the email address.
        let login = self.form.get("username").or_else(|| self.form.get("email"));
        let is_given =
            |account: &&Account| Some(&account.login) == login && account.password == given("password");
        let account = {
            let memory = self.fake.memory();
            self.fake.accounts.iter().chain(&memory.accounts).find(is_given).cloned()
        };
        let Some(account) = account else {
            let failed = format!(
                "{}{}/signin?error=CredentialsSignin&code=credentials",
                self.origin, self.fake.base_path
            );
            return self.redirect(&failed);
        };
        self.signed_in(&account)
    }

    /// The redirect of somebody who is signed in from now on.
    pub(super) fn signed_in(&self, account: &Account) -> Answer {
        let callback = self.callback_url();
        let mut cookies = Vec::new();
        let is_robo_database = self.fake.robo && self.fake.strategy == Strategy::Database;
        if self.fake.strategy == Strategy::Jwt || is_robo_database {
            // With Robo's database sessions this is the token that Auth.js makes first, and that counts for nothing.
            cookies.extend(self.session_cookies(&self.fake.token(&account.claims)));
        }
        if self.fake.strategy == Strategy::Database && !(is_robo_database && self.wants_json()) {
            let token = self.fake.new_session(account.claims.clone());
            cookies.extend(self.session_cookies(&token));
        }
        cookies.push(callback_cookie(&callback));
        self.redirect(&callback).cookies(cookies)
    }

    fn sign_out(&self) -> Answer {
        if let Some(value) = cookie(self.seen, &self.fake.cookie_name) {
            self.fake.memory().sessions.remove(&value);
        }
        self.redirect(&self.callback_url()).cookies(vec![self.cleared()])
    }

    fn redirect(&self, to: &str) -> Answer {
        Answer::redirect(to, self.wants_json())
    }

    fn wants_json(&self) -> bool {
        self.seen.headers.contains_key("x-auth-return-redirect")
    }

    pub(super) fn csrf_holds(&self) -> bool {
        self.csrf.sent && self.form.get("csrfToken") == Some(&self.csrf.token)
    }

    /// The default redirect callback: paths and this origin only (`core/lib/init.ts:33-37`).
    fn callback_url(&self) -> String {
        let asked = self.form.get("callbackUrl").or_else(|| self.query.get("callbackUrl")).cloned();
        let kept = || cookie(self.seen, "authjs.callback-url");
        match asked.or_else(kept) {
            Some(path) if path.starts_with('/') && !path.starts_with("//") => {
                format!("{}{path}", self.origin)
            }
            Some(url) if url == self.origin || url.starts_with(&format!("{}/", self.origin)) => url,
            _ => self.origin.clone(),
        }
    }

    /// The `Set-Cookie` of a session.
    fn session_cookies(&self, token: &str) -> Vec<String> {
        let expires = httpdate(SystemTime::now() + self.fake.max_age);
        let pairs = self.fake.cookie_pairs(token).into_iter();
        pairs
            .map(|(name, value)| format!("{name}={value}; Path=/; Expires={expires}; HttpOnly; SameSite=Lax"))
            .collect()
    }

    fn cleared(&self) -> String {
        format!("{}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax", self.fake.cookie_name)
    }

    /// The CSRF and callback-URL cookies, minted when the browser sent none.
    fn own_cookies(&self) -> Vec<String> {
        let mut cookies = Vec::new();
        if !self.csrf.sent {
            let hash = Csrf::hash(&self.csrf.token, &self.fake.secret);
            cookies.push(format!(
                "authjs.csrf-token={}%7C{hash}; Path=/; HttpOnly; SameSite=Lax",
                self.csrf.token
            ));
        }
        if cookie(self.seen, "authjs.callback-url").is_none() || self.query.contains_key("callbackUrl") {
            cookies.push(callback_cookie(&self.callback_url()));
        }
        cookies
    }
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
