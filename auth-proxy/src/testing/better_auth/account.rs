//! Signing up, in and out with email and password, and changing the user.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::lookup::Found;
use super::request::Request;
use super::response::{Answered, Json, Refusal, error, validation_error};
use super::store::{User, date, user_fields};

/// The shortest password, in characters.
const MIN_PASSWORD: usize = 8;

/// How long a session lasts when the visitor does not want to be remembered.
const UNREMEMBERED: Duration = Duration::from_secs(24 * 3600);

impl Request<'_> {
    pub(super) fn sign_up(&mut self) -> Answered {
        let fields = self.fields(true)?;
        let [name, email, password] = required(&fields, ["name", "email", "password"])?;
        if !is_email(&email) {
            return Err(validation_error("[body.email] Invalid email address"));
        }
        if password.chars().count() < MIN_PASSWORD {
            return Err(error(StatusCode::BAD_REQUEST, "PASSWORD_TOO_SHORT", "Password too short"));
        }
        let email = email.to_lowercase();
        let mut claims = Map::new();
        claims.insert("name".to_owned(), name.into());
        claims.insert("email".to_owned(), email.clone().into());
        let user = User { password, fields: user_fields(&claims) };
        {
            let mut database = self.database()?;
            if database.better_auth.users.iter().any(|known| known.has_email(&email)) {
                return Err(error(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
                    "User already exists. Use another email.",
                ));
            }
            database.better_auth.users.push(user.clone());
        }
        let found = self.begin_session(&user, wants_to_be_remembered(&fields))?;
        Ok(Json::ok(json!({ "token": found.token(), "user": found.user })))
    }

    /// Signs in with the user's email. With `callbackURL` the response has `Location`, and its status is still 200.
    pub(super) fn sign_in(&mut self) -> Answered {
        let fields = self.fields(true)?;
        let [email, password] = required(&fields, ["email", "password"])?;
        if !is_email(&email) {
            return Err(error(StatusCode::BAD_REQUEST, "INVALID_EMAIL", "Invalid email"));
        }
        let known = self
            .database()?
            .better_auth
            .users
            .iter()
            .find(|user| user.has_email(&email) && user.password == password && !password.is_empty())
            .cloned();
        let Some(user) = known else {
            return Err(error(
                StatusCode::UNAUTHORIZED,
                "INVALID_EMAIL_OR_PASSWORD",
                "Invalid email or password",
            ));
        };
        let found = self.begin_session(&user, wants_to_be_remembered(&fields))?;
        let url = fields.get("callbackURL").and_then(Value::as_str).map(str::to_owned);
        let mut body = json!({ "redirect": url.is_some(), "token": found.token(), "user": found.user });
        if let (Some(url), Some(body)) = (&url, body.as_object_mut()) {
            body.insert("url".to_owned(), json!(url));
        }
        Ok(Json { status: StatusCode::OK, body, location: url })
    }

    /// Succeeds without a session, and while the database is down: the session then lives on.
    pub(super) fn sign_out(&mut self) -> Answered {
        self.fields(false)?;
        if let (Some(token), Ok(mut database)) = (self.signed_cookie(&self.names.token), self.database()) {
            database.better_auth.remove_session(&token);
        }
        self.clear_session();
        Ok(Json::ok(json!({ "success": true })))
    }

    pub(super) fn update_user(&mut self) -> Answered {
        let mut fields = self.fields(false)?;
        let found = self.signed_in(false)?;
        if fields.get("email").is_some_and(|email| *email != json!("")) {
            return Err(error(
                StatusCode::BAD_REQUEST,
                "EMAIL_CAN_NOT_BE_UPDATED",
                "Email can not be updated",
            ));
        }
        fields.retain(|name, _| !matches!(name.as_str(), "id" | "email" | "emailVerified" | "createdAt"));
        if fields.is_empty() {
            let body = json!({ "message": "No fields to update" });
            return Err(Refusal::Error(Json { status: StatusCode::BAD_REQUEST, body, location: None }));
        }
        fields.insert("updatedAt".to_owned(), json!(date(SystemTime::now())));
        let user = {
            let mut database = self.database()?;
            let Some(user) = database.better_auth.user_mut(found.user_id()) else {
                return Err(Refusal::Crash);
            };
            user.fields.extend(fields);
            Value::Object(user.fields.clone())
        };
        let is_unremembered = self.signed_cookie(&self.names.dont_remember).is_some();
        self.set_session(&Found { user, ..found }, is_unremembered);
        Ok(Json::ok(json!({ "status": true })))
    }

    fn begin_session(&mut self, user: &User, is_remembered: bool) -> Result<Found, Refusal> {
        let lifetime = if is_remembered { self.fake.settings.max_age } else { UNREMEMBERED };
        let session = {
            let mut database = self.database()?;
            let mut session = database.better_auth.add_session(user.id(), lifetime);
            // Only one address counts (`docs/better-auth.md#rate-limit`).
            let address = self.header("x-forwarded-for").filter(|list| !list.contains(','));
            session.ip_address = address.unwrap_or_default().to_owned();
            session.user_agent = self.header("user-agent").unwrap_or_default().to_owned();
            database.better_auth.put_session(session.clone());
            session
        };
        let found = Found::new(&session, user);
        self.set_session(&found, !is_remembered);
        Ok(found)
    }
}

/// The required fields of a body.
fn required<const N: usize>(fields: &Map<String, Value>, names: [&str; N]) -> Result<[String; N], Refusal> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let is_missing = |name: &&str| text(name).is_none();
    let missing: Vec<_> = names
        .into_iter()
        .filter(is_missing)
        .map(|name| format!("[body.{name}] Invalid input: expected string, received undefined"))
        .collect();
    if missing.is_empty() {
        return Ok(names.map(|name| text(name).unwrap_or_default().to_owned()));
    }
    Err(validation_error(&missing.join("; ")))
}

/// Sessions are remembered unless the body says `rememberMe: false`.
fn wants_to_be_remembered(fields: &Map<String, Value>) -> bool {
    fields.get("rememberMe") != Some(&json!(false))
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}
