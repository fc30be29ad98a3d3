use std::collections::BTreeSet;

use auth_proxy::{
    auth_proxy,
    options::{Expected, TokenFormat},
};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};

auth_proxy! {
    struct Auth<Claims = Map<String, Value>> { upstream: { base_url: "http://127.0.0.1:9" } }
}

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    flavor: String,
    cookie_name: String,
    secrets: Vec<String>,
    cookies: Option<String>,
    authorization: Option<String>,
    now: Option<u64>,
    core: Verdict,
    ours: Verdict,
    why: Option<String>,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Verdict {
    ok: bool,
    claims: Option<Value>,
}

async fn decode(vector: &Vector) -> Result<Option<Value>, auth_proxy::AuthError> {
    let format = vector.flavor.parse::<TokenFormat>().unwrap();
    let mut builder = Auth::builder()
        .public_url("https://app.test")
        .upstream_cookie_name(&vector.cookie_name)
        .upstream_secret(&vector.secrets)
        .upstream_token(format);
    // jose verified the vectors without audience and issuer.
    if format.is_signed() {
        builder = builder.upstream_audience(Expected::Any).upstream_issuer(Expected::Any);
    }
    if let Some(now) = vector.now {
        builder = builder.clock(move || now);
    }
    let auth = builder.build().unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in [("cookie", &vector.cookies), ("authorization", &vector.authorization)] {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
    }
    Ok(auth.token(&headers).await?.map(|token| Value::Object(Map::clone(&token))))
}

/// Each token is accepted or rejected as by the real library, except for the differences that docs/compatibility.md
/// lists.
#[tokio::test]
async fn every_token_vector_decodes_as_in_the_real_library() {
    let output = auth_proxy_tests::process::node("mint.mjs").output().expect("cannot run node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let Vectors { vectors } = serde_json::from_slice(&output.stdout).unwrap();
    assert!(vectors.len() >= 170, "{}", vectors.len());
    let mut wrong = Vec::new();
    let mut differences = BTreeSet::new();
    for vector in &vectors {
        let decoded = decode(vector).await;
        let code = decoded.as_ref().err().map(auth_proxy::AuthError::code);
        let claims = decoded.ok().flatten();
        let got = Verdict { ok: claims.is_some(), claims };
        if got.ok != vector.ours.ok || (got.ok && got.claims != vector.ours.claims) {
            wrong.push(format!("{}: {:?} {:?}, not {:?}", vector.name, got, code, vector.ours));
        }
        if vector.core.ok != vector.ours.ok {
            differences.insert(vector.why.clone().expect("the difference has no reason"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // docs/compatibility.md contains the reason for each difference word for word.
    let documented = include_str!("../../../docs/compatibility.md");
    for why in differences {
        assert!(documented.contains(&why), "docs/compatibility.md does not say: {why}");
    }
}
