//! Key sets and tokens of a hostile or failing party, and keys that an issuer takes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use auth_proxy_tests::App;
use axum::Router;
use axum::body::{Body, Bytes};
use http::{Request, Response};
use serde_json::{Value, json};

use super::endpoint::{KeyEndpoint, Mode};
use super::signer::{AUDIENCE, FAR, ISSUER, Signer, claims, key_set};
use super::{Machines, app, app_of, assert_accepted, assert_refused, builder, outcome};

/// The issuer withdraws a stolen key at once, and has no other key that this app can use yet.
#[tokio::test]
async fn key_that_is_withdrawn_without_a_successor_verifies_no_token() {
    let (stolen, next) = (Signer::ed25519("stolen"), Signer::ed25519("next"));
    for left in [json!({ "keys": [] }), key_set(&[&Signer::es384("of another algorithm")])] {
        let endpoint = KeyEndpoint::of(key_set(&[&stolen])).await;
        let auth = builder(&endpoint)
            .jwks_max_age(Duration::from_millis(200))
            .jwks_cooldown(Duration::from_millis(50));
        let (_app, browser) = app_of(auth).await;
        let token = stolen.token("eve");
        assert_accepted(&browser, &token, "eve").await;
        endpoint.set(Mode::Keys(left.clone()));
        tokio::time::sleep(Duration::from_millis(250)).await;
        for _ in 0..3 {
            let found = outcome(&browser, &token).await;
            assert_eq!(found, (503, "keys_unavailable".to_owned()), "{left}");
        }
        endpoint.set(Mode::Keys(key_set(&[&next])));
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_accepted(&browser, &next.token("ada"), "ada").await;
        assert_refused(&browser, &token, "token_unknown_key").await;
    }
}

/// An app's own client that panics is an outage like any other: it is not asked by every request.
#[tokio::test]
async fn client_that_panics_is_asked_again_after_a_pause() {
    let calls = Arc::new(AtomicUsize::new(0));
    let fetch = {
        let calls = Arc::clone(&calls);
        tower::service_fn(move |_: Request<Body>| {
            let calls = Arc::clone(&calls);
            async move {
                calls.fetch_add(1, SeqCst);
                assert!(calls.load(SeqCst) == 0, "a client that panics");
                Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
            }
        })
    };
    let auth = Machines::builder().jwks_url("http://127.0.0.1:9/keys").upstream_fetch(fetch);
    let (_app, browser) = app_of(auth).await;
    let token = Signer::ed25519("a").token("ada");
    for _ in 0..20 {
        assert_eq!(outcome(&browser, &token).await, (503, "keys_unavailable".to_owned()));
    }
    let count = calls.load(SeqCst);
    assert!(count <= 3, "{count} fetches");
}

async fn served(body: Vec<u8>, headers: &'static [(&'static str, &'static str)]) -> App {
    let router = Router::new().fallback(move || {
        let body = body.clone();
        async move {
            let mut response = Response::new(Body::from(body));
            for (name, value) in headers {
                response.headers_mut().insert(*name, value.parse().unwrap());
            }
            response
        }
    });
    App::start(router).await
}

async fn outcome_of(endpoint: &App, token: &str) -> (u16, String) {
    let (_app, browser) = app_of(Machines::builder().jwks_url(endpoint.url("/keys"))).await;
    outcome(&browser, token).await
}

#[tokio::test]
async fn key_set_is_read_up_to_its_limit_and_as_it_is() {
    let signer = Signer::ed25519("a");
    let (token, keys) = (signer.token("ada"), key_set(&[&signer]).to_string());
    let padded = |length: usize| format!("{keys}{}", " ".repeat(length - keys.len())).into_bytes();
    let accepted = (200, "ada".to_owned());
    let unavailable = (503, "keys_unavailable".to_owned());
    const HTML: &[(&str, &str)] = &[("content-type", "text/html")];
    const GZIP: &[(&str, &str)] = &[("content-encoding", "gzip")];
    assert_eq!(outcome_of(&served(padded(64 * 1024), HTML).await, &token).await, accepted);
    assert_eq!(outcome_of(&served(padded(64 * 1024 + 1), HTML).await, &token).await, unavailable);
    assert_eq!(outcome_of(&served(padded(100 << 20), &[]).await, &token).await, unavailable);
    // What was not asked for is not unpacked.
    assert_eq!(outcome_of(&served(vec![0x1f, 0x8b, 8, 0, 0, 0], GZIP).await, &token).await, unavailable);
    let mark = format!("\u{feff}{keys}").into_bytes();
    assert_eq!(outcome_of(&served(mark, &[]).await, &token).await, unavailable);
}

#[tokio::test]
async fn key_set_that_drips_is_given_up_after_the_timeout() {
    let router = Router::new().fallback(|| async {
        let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
        tokio::spawn(async move {
            while sender.send(Bytes::from_static(b" ")).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Body::new(Dripping(receiver))
    });
    let endpoint = App::start(router).await;
    let auth = Machines::builder()
        .jwks_url(endpoint.url("/keys"))
        .upstream_timeout(Duration::from_millis(500))
        .upstream_connect_timeout(Duration::from_millis(500));
    let (_app, browser) = app_of(auth).await;
    let start = Instant::now();
    assert_eq!(outcome(&browser, &Signer::ed25519("a").token("ada")).await.0, 503);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

struct Dripping(tokio::sync::mpsc::Receiver<Bytes>);

impl http_body::Body for Dripping {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}

#[tokio::test]
async fn odd_names_and_broken_keys_never_verify() {
    let (good, empty) = (Signer::es256("good"), Signer::ed25519(""));
    // A point that is not on the curve, and another one at infinity.
    let off = |byte: u8| {
        use base64::Engine as _;
        let x = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([byte; 32]);
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": format!("off{byte}"), "x": x, "y": x })
    };
    let keys =
        json!({ "keys": [good.jwk(), off(0), off(1), off(255), empty.jwk(), Value::Null, 1, "x", []] });
    let endpoint = KeyEndpoint::of(keys).await;
    let (_app, browser) = app(&endpoint).await;
    assert_accepted(&browser, &good.token("ada"), "ada").await;
    assert_accepted(&browser, &empty.token("ada"), "ada").await;
    for kid in ["off0", "off1", "off255"] {
        let header = json!({ "alg": "ES256", "kid": kid });
        assert_eq!(outcome(&browser, &good.token_with(&header, &claims("eve"))).await.0, 401);
    }
    let huge = json!({ "alg": "ES256", "kid": "k".repeat(3000) });
    assert_refused(&browser, &good.token_with(&huge, &claims("eve")), "token_unknown_key").await;
    for kid in [" good", "good ", "GOOD", "good\0", "go\u{f6}d"] {
        let header = json!({ "alg": "ES256", "kid": kid });
        assert_refused(&browser, &good.token_with(&header, &claims("eve")), "token_unknown_key").await;
    }
    assert_eq!(endpoint.count(), 2);
}

#[tokio::test]
async fn edges_of_times_and_audiences() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (_app, browser) = app(&endpoint).await;
    let token = |claims: &str| {
        let claims = format!(r#"{{"sub":"ada","iss":"{ISSUER}",{claims}}}"#);
        let message = {
            use base64::Engine as _;
            let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
            format!("{}.{}", encode(&signer.header().to_string()), encode(&claims))
        };
        signer.signed(&message)
    };
    let aud = format!(r#""aud":"{AUDIENCE}""#);
    for good in [
        format!(r#"{aud},"exp":{FAR}"#),
        format!(r#"{aud},"exp":{FAR}.75"#),
        format!(r#"{aud},"exp":1e300"#),
        format!(r#"{aud},"exp":{FAR},"nbf":-1e300,"iat":-5"#),
        format!(r#""aud":["x","{AUDIENCE}"],"exp":{FAR}"#),
    ] {
        assert_eq!(outcome(&browser, &token(&good)).await, (200, "ada".to_owned()), "{good}");
    }
    for bad in [
        aud.clone(),
        format!(r#"{aud},"exp":null"#),
        format!(r#"{aud},"exp":"{FAR}""#),
        format!(r#"{aud},"exp":-1"#),
        format!(r#"{aud},"exp":-1e300"#),
        format!(r#"{aud},"exp":1e999"#),
        format!(r#"{aud},"exp":NaN"#),
        format!(r#"{aud},"exp":{FAR},"exp":{FAR}"#),
        format!(r#"{aud},"exp":{FAR},"\u0065xp":1"#),
        format!(r#"{aud},"exp":{FAR},"nbf":{FAR}"#),
        format!(r#"{aud},"exp":{FAR},"nbf":"1""#),
        format!(r#"{aud},"exp":{FAR},"iat":"1""#),
        format!(r#""aud":["x",["{AUDIENCE}"]],"exp":{FAR}"#),
        format!(r#""aud":["{AUDIENCE}",1],"exp":{FAR}"#),
        format!(r#""aud":"x","aud":"{AUDIENCE}","exp":{FAR}"#),
        format!(r#""aud":{{"0":"{AUDIENCE}"}},"exp":{FAR}"#),
        format!(r#"{aud},"exp":{FAR},"iss":"{ISSUER}""#),
    ] {
        assert_eq!(outcome(&browser, &token(&bad)).await.0, 401, "{bad}");
    }
    assert_eq!(endpoint.count(), 1);
}
