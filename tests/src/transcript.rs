//! Transcripts of a real Better Auth server (`better-auth` 1.7.25 on Node.js 20), in `tests/corpus/better_auth`.
//!
//! Each step is a request and the real answer. In the answer, values of cookies, ids and dates are replaced by words.
//! `real` has the options of the real server, `fake` those of the fake one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{Answer, loopback_client};

/// Every route and error of the core, without a cookie cache.
pub const PLAIN: &str = include_str!("../corpus/better_auth/plain.json");

/// Lookups with a cookie cache.
pub const CACHED: &str = include_str!("../corpus/better_auth/cached.json");

/// Lookups that extend a session.
pub const SLIDING: &str = include_str!("../corpus/better_auth/sliding.json");

/// Sends every request of a transcript to the server at this origin, and compares the answers. Returns how many requests
/// there were, and the answers that differ. `set_database` switches the database of the server on or off.
pub async fn replay(
    origin: &str,
    transcript: &Value,
    set_database: impl AsyncFn(bool),
) -> (usize, Vec<String>) {
    let client = loopback_client();
    let mut cookies = BTreeMap::new();
    let (mut requests, mut wrong) = (0, Vec::new());
    for step in transcript["steps"].as_array().unwrap() {
        if let Some(database) = step["database"].as_str() {
            set_database(database == "up").await;
            continue;
        }
        requests += 1;
        let answer = send(&client, origin, step, &cookies).await;
        if let Some(name) = step["save"].as_str() {
            let pairs = answer.cookies().into_iter().filter_map(|line| line.split(';').next());
            cookies.insert(name.to_owned(), pairs.map(str::to_owned).collect());
        }
        let (seen, expected) = (comparable(&answer), &step["answer"]);
        if seen != *expected {
            let mut request = step.clone();
            request.as_object_mut().unwrap().remove("answer");
            wrong.push(format!("{request}\n  seen: {seen}\n  expected: {expected}"));
        }
    }
    (requests, wrong)
}

type Cookies = BTreeMap<String, Vec<String>>;

async fn send(client: &reqwest::Client, origin: &str, step: &Value, cookies: &Cookies) -> Answer {
    let method = step["method"].as_str().unwrap().parse().unwrap();
    let url = format!("{}{}", origin, step["path"].as_str().unwrap());
    let mut request = client.request(method, url);
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        request = request.header(name, filled(value.as_str().unwrap(), origin, cookies));
    }
    request = match &step["body"] {
        Value::Null => request,
        Value::String(text) => request.body(text.clone()),
        object => request.json(object),
    };
    Answer::of(request.send().await.unwrap()).await
}

/// Replaces `{origin}`, and the names of saved cookies: `{ada}` by all of them, `{ada.session_data}` by this one.
fn filled(text: &str, origin: &str, cookies: &Cookies) -> String {
    let mut filled = text.replace("{origin}", origin);
    for (name, pairs) in cookies {
        filled = filled.replace(&format!("{{{name}}}"), &pairs.join("; "));
        for pair in pairs {
            let (cookie, _) = pair.split_once('=').unwrap();
            let cookie = cookie.strip_prefix("better-auth.").unwrap();
            filled = filled.replace(&format!("{{{name}.{cookie}}}"), pair);
        }
    }
    assert!(!filled.contains('{'), "{text}");
    filled
}

/// The answer in the form of the transcripts.
fn comparable(answer: &Answer) -> Value {
    let names = ["cache-control", "content-type", "location", "pragma"];
    let headers: Map<_, _> = names
        .into_iter()
        .filter(|name| answer.headers.contains_key(*name))
        .map(|name| (name.to_owned(), json!(answer.header(name))))
        .collect();
    let cookies: Vec<_> = answer.cookies().into_iter().map(without_value).collect();
    let body = serde_json::from_str(&answer.body).map_or_else(|_| json!(answer.body), without_ids);
    json!({ "status": answer.status, "headers": headers, "cookies": cookies, "body": body })
}

/// A `Set-Cookie` line without the value, unless that is empty.
fn without_value(line: &str) -> String {
    let (name, rest) = line.split_once('=').unwrap();
    let (value, attributes) = rest.split_once(';').unwrap();
    let value = if value.is_empty() { "" } else { "<value>" };
    format!("{name}={value};{attributes}")
}

fn without_ids(value: Value) -> Value {
    match value {
        // The real server of the tests has the field `pad` for long sessions.
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, value)| name != "pad" || !value.is_null())
            .map(|(name, value)| (name, without_ids(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(without_ids).collect::<Vec<_>>().into(),
        Value::String(text) if text.len() == 32 && text.chars().all(|c| c.is_ascii_alphanumeric()) => {
            json!("<id>")
        }
        Value::String(text) if text.len() == 24 && text.ends_with('Z') && text.contains("T") => {
            json!("<date>")
        }
        other => other,
    }
}
