//! A request: its cookies, its body, and the cookies that the response sets.

use std::collections::HashMap;
use std::sync::MutexGuard;
use std::time::Duration;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::cookies::{self, Names};
use super::response::{Answered, Json, Refusal, error, validation_error};
use crate::testing::cookies::cookies;
use crate::testing::state::{Fake, Memory, SeenRequest};

/// The database does not answer.
pub(super) struct DatabaseDown;

/// A request that is being answered.
pub(super) struct Request<'a> {
    pub(super) fake: &'a Fake,
    pub(super) seen: &'a SeenRequest,
    pub(super) names: Names,
    body: &'a [u8],
    query: HashMap<String, String>,
    cookies: Vec<(String, String)>,
    database_is_down: bool,
    /// The `Set-Cookie` values so far.
    set_cookies: Vec<String>,
}

impl<'a> Request<'a> {
    pub(super) fn new(fake: &'a Fake, seen: &'a SeenRequest, body: &'a [u8], database_is_down: bool) -> Self {
        let query = seen.uri.query().and_then(|query| serde_urlencoded::from_str(query).ok());
        Self {
            fake,
            seen,
            names: Names::of(&fake.settings.cookie_name),
            body,
            query: query.unwrap_or_default(),
            cookies: cookies(seen),
            database_is_down,
            set_cookies: Vec::new(),
        }
    }

    pub(super) fn ok(&mut self) -> Answered {
        Ok(Json::ok(serde_json::json!({ "ok": true })))
    }

    /// There is no provider, so no callback has a state (`docs/better-auth.md#callback-without-state`).
    pub(super) fn callback(&mut self) -> Answered {
        let base = format!("{}{}", self.own_origin(), self.fake.settings.base_path);
        let location = Some(format!("{base}/error?error=state_not_found"));
        Ok(Json { status: StatusCode::FOUND, body: Value::Null, location })
    }

    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        self.seen.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether a parameter of the query is true: any text but an empty one is (`docs/better-auth.md#get-session`).
    pub(super) fn has_query(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|value| !value.is_empty())
    }

    /// The database.
    pub(super) fn database(&self) -> Result<MutexGuard<'a, Memory>, DatabaseDown> {
        if self.database_is_down { Err(DatabaseDown) } else { Ok(self.fake.memory()) }
    }

    /// The body as an object. A body without a content type counts as none. Forms are read where `with_forms` says so.
    pub(super) fn fields(&self, with_forms: bool) -> Result<Map<String, Value>, Refusal> {
        let Some(content_type) = self.header(CONTENT_TYPE.as_str()).filter(|_| !self.body.is_empty()) else {
            return Ok(Map::new());
        };
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/json" => match serde_json::from_slice(self.body) {
                Ok(Value::Object(fields)) => Ok(fields),
                Ok(_) => Err(validation_error("[body] Invalid input: expected object")),
                Err(_) => Err(error(StatusCode::BAD_REQUEST, "BAD_REQUEST", "Invalid JSON in request body")),
            },
            "application/x-www-form-urlencoded" if with_forms => {
                let form: HashMap<String, String> =
                    serde_urlencoded::from_bytes(self.body).unwrap_or_default();
                Ok(form.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
            }
            _ => {
                let forms = if with_forms { "application/x-www-form-urlencoded, " } else { "" };
                let message = format!(
                    r#"Content-Type "{kind}" is not allowed. Allowed types: {forms}application/json"#
                );
                Err(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", &message))
            }
        }
    }

    /// The value of a cookie: of two with this name, the first.
    fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The value of a signed cookie, if the signature is good.
    pub(super) fn signed_cookie(&self, name: &str) -> Option<String> {
        cookies::verified(self.cookie(name)?, &self.fake.settings.secret).map(str::to_owned)
    }

    /// The value of a cookie that may be split: the plain one if it is not empty, or else all chunks in order.
    pub(super) fn split_cookie(&self, name: &str) -> Option<String> {
        if let Some(value) = self.cookie(name).filter(|value| !value.is_empty()) {
            return Some(value.to_owned());
        }
        let mut chunks: Vec<_> = self
            .cookies
            .iter()
            .filter_map(|(own, value)| Some((cookies::chunk_number(name, own)?, value.as_str())))
            .collect();
        // Of two chunks with the same number, the last counts.
        chunks.reverse();
        chunks.sort_by_key(|(number, _)| *number);
        chunks.dedup_by_key(|(number, _)| *number);
        (!chunks.is_empty()).then(|| chunks.into_iter().map(|(_, value)| value).collect())
    }

    /// The names under which the request has this cookie: its own and those of chunks.
    fn sent_names(&self, name: &str) -> Vec<String> {
        let is_part = |own: &str| own == name || cookies::chunk_number(name, own).is_some();
        let mut names: Vec<String> = Vec::new();
        for (own, _) in self.cookies.iter().filter(|(own, _)| is_part(own)) {
            if !names.contains(own) {
                names.push(own.clone());
            }
        }
        names
    }

    /// Sets a cookie.
    pub(super) fn set(&mut self, name: &str, value: &str, max_age: Option<Duration>) {
        self.set_cookies.push(cookies::set_cookie(name, value, max_age));
    }

    /// Clears a cookie. A line that set it earlier in this response is taken back.
    pub(super) fn clear(&mut self, name: &str) {
        let sets = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['=', '.']));
        self.set_cookies.retain(|line| !sets(line));
        self.set(name, "", Some(Duration::ZERO));
    }

    /// Clears a cookie under each name that the request has of it.
    pub(super) fn clear_sent(&mut self, name: &str) {
        for sent in self.sent_names(name) {
            self.set(&sent, "", Some(Duration::ZERO));
        }
    }

    /// Sets a cookie that may be split, and clears the chunks that the request has of an earlier value.
    pub(super) fn set_split(&mut self, name: &str, value: &str, max_age: Option<Duration>) {
        let chunks = cookies::chunks(name, value, max_age);
        for sent in self.sent_names(name) {
            match chunks.iter().find(|(own, _)| *own == sent) {
                Some((_, value)) => self.set(&sent, value, max_age),
                None => self.set(&sent, "", Some(Duration::ZERO)),
            }
        }
        let sent = self.sent_names(name);
        for (name, value) in chunks.iter().filter(|(name, _)| !sent.contains(name)) {
            self.set(name, value, max_age);
        }
    }

    /// The `Set-Cookie` values of the response.
    pub(super) fn set_cookies(self) -> Vec<String> {
        self.set_cookies
    }
}
