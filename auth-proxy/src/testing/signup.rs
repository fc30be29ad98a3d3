//! Registration by email and password as in Robo (`docs/authjs.md#signup-robo`).

use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, LOCATION};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::account::Account;
use super::answer::Answer;
use super::request::FakeRequest;

/// The shortest password that Robo accepts, in characters.
const MIN_PASSWORD: usize = 8;

impl FakeRequest<'_> {
    /// `/signup`. Success signs the user in and redirects with 302. An error is JSON if JSON was sent or accepted, and
    /// otherwise a redirect to a page outside of the base path, which Robo does not serve.
    pub(super) fn sign_up(&self) -> Answer {
        match self.seen.method {
            Method::POST => {}
            Method::OPTIONS => return Answer::json(StatusCode::NO_CONTENT, String::new()),
            _ => {
                return Answer::json(StatusCode::METHOD_NOT_ALLOWED, String::new())
                    .header(ALLOW, "POST, OPTIONS");
            }
        }
        match self.register() {
            Ok(account) => self.signed_in(&account),
            Err(code) if self.is_json() => Answer::json(
                StatusCode::BAD_REQUEST,
                json!({ "error": code, "message": "The account cannot be created." }).to_string(),
            ),
            Err(code) => Answer::json(StatusCode::SEE_OTHER, String::new())
                .header(LOCATION, &format!("{}/signup?error={code}", self.origin)),
        }
    }

    fn register(&self) -> Result<Account, &'static str> {
        let given = |name: &str| self.form.get(name).map(String::as_str).unwrap_or_default();
        let email = given("email").to_lowercase();
        let (name, host) = email.split_once('@').unwrap_or_default();
        if name.is_empty() || host.is_empty() {
            return Err("InvalidEmail");
        }
        if given("password").len() < MIN_PASSWORD {
            return Err("InvalidPassword");
        }
        if given("password") != given("passwordConfirm") {
            return Err("PasswordMismatch");
        }
        if !self.form.contains_key("csrfToken") {
            return Err("MissingCsrf");
        }
        if !self.has_valid_csrf_token() {
            return Err("InvalidCsrf");
        }
        let claims = json!({ "sub": email, "name": name, "email": email });
        let Value::Object(claims) = claims else { return Err("SignupFailed") };
        let account = Account { login: email.clone(), password: given("password").to_owned(), claims };
        let mut memory = self.fake.memory();
        let is_taken = |known: &Account| {
            known.login == email || known.claims.get("email") == account.claims.get("email")
        };
        if self.fake.settings.accounts.iter().chain(&memory.accounts).any(is_taken) {
            return Err("EmailTaken");
        }
        memory.accounts.push(account.clone());
        Ok(account)
    }

    fn is_json(&self) -> bool {
        [ACCEPT, CONTENT_TYPE].iter().any(|name| {
            let value = self.seen.headers.get(name).and_then(|value| value.to_str().ok());
            value.is_some_and(|value| value.contains("application/json"))
        })
    }
}
