//! The extractors `Session`, `Token` and `RawToken`: their values, and when they look up the session at the upstream.

use auth_proxy::options::{SessionSource, SessionStrategy};
use auth_proxy::testing::{FakeUpstream, mint};
use serde_json::json;

use crate::support::{Auth, app, app_of, decoding_app, upstream, users};

const COOKIE: &str = "authjs.session-token";

#[tokio::test]
async fn every_extractor_works_from_sign_in_to_sign_out() {
    let upstream = upstream().await;
    for (app, browser) in [app(&upstream).await, decoding_app(&upstream).await] {
        assert_eq!(browser.get("/session").await.status, 401);
        let signed_in = browser.sign_in("demo", "demo").await;
        assert_eq!((signed_in.status, signed_in.header("location")), (302, app.url("/").as_str()));
        let session = browser.get("/session").await.json();
        assert_eq!(session["user"]["name"], "Demo");
        assert_eq!(session["user"]["role"], "user");
        assert!(session["expires"].as_str().unwrap().ends_with('Z'));
        assert_eq!(browser.get("/session/optional").await.json()["user"]["email"], "demo@example.com");
        let token = browser.get("/token").await.json();
        assert_eq!((&token["sub"], &token["role"]), (&json!("1"), &json!("user")));
        assert_eq!(browser.get("/token/raw").await.body.split('.').count(), 5);
        assert_eq!(browser.get("/protected").await.body, "ok");
        assert_eq!(browser.get("/everything").await.json(), json!(["Demo", "Demo", "Demo", true, true]));
        assert_eq!(browser.sign_out().await.status, 302);
        assert_eq!(browser.get("/session").await.code(), "session_absent");
        assert_eq!(browser.get("/session/optional").await.body, "null");
    }
}

#[tokio::test]
async fn extractors_of_one_request_share_one_lookup() {
    let upstream = upstream().await;
    let (_app, browser) = app(&upstream).await;
    browser.sign_in("demo", "demo").await;
    let before = upstream.lookups();
    browser.get("/everything").await;
    assert_eq!(upstream.lookups(), before + 1);
    browser.get("/plain").await;
    assert_eq!(upstream.lookups(), before + 1);
}

#[tokio::test]
async fn tokens_and_guards_with_a_secret_make_no_lookup() {
    let upstream = upstream().await;
    let (_app, browser) = decoding_app(&upstream).await;
    browser.sign_in("demo", "demo").await;
    let before = upstream.lookups();
    for path in ["/token", "/protected", "/group/a", "/token/optional", "/token/raw"] {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
    assert_eq!(upstream.lookups(), before);
}

#[tokio::test]
async fn local_sessions_are_read_without_a_lookup() {
    let upstream = upstream().await;
    let local = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_secret([upstream.secret()])
        .session_source(SessionSource::Local);
    let (_app, browser) = app_of(local).await;
    browser.sign_in("demo", "demo").await;
    let before = upstream.lookups();
    let session = browser.get("/session").await.json();
    assert_eq!(
        session["user"],
        json!({ "id": "1", "name": "Demo", "email": "demo@example.com", "image": null })
    );
    assert!(session["expires"].is_string());
    assert_eq!(upstream.lookups(), before);
}

/// An `exp` after the last representable date must not cause a panic.
#[tokio::test]
async fn session_with_an_unrepresentable_exp_has_no_expiry() {
    let upstream = upstream().await;
    let local = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_secret([upstream.secret()])
        .session_source(SessionSource::Local);
    let (_app, browser) = app_of(local).await;
    for exp in [json!(253_402_300_800_u64), json!(1e18), json!(1e300), json!(u64::MAX)] {
        let token = mint(&json!({ "sub": "1", "exp": exp }), upstream.secret(), COOKIE);
        let session = browser.get_with("/session", &[("cookie", &format!("{COOKIE}={token}"))]).await;
        assert_eq!((session.status, session.json().get("expires")), (200, None), "{exp}");
    }
}

#[tokio::test]
async fn session_mapping_sets_user_and_fields_of_local_sessions() {
    let upstream = upstream().await;
    let auth = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_secret([upstream.secret()])
        .session_source(SessionSource::Local)
        .session_mapping(|claims: &serde_json::Map<_, _>| {
            let user = json!({ "name": claims["name"], "role": claims["role"] });
            serde_json::Map::from_iter([("user".to_owned(), user), ("plan".to_owned(), json!("free"))])
        });
    let (_app, browser) = app_of(auth).await;
    browser.sign_in("admin", "admin").await;
    let session = browser.get("/session").await.json();
    assert_eq!((&session["user"]["role"], &session["plan"]), (&json!("admin"), &json!("free")));
}

/// A mapping without a user signs the visitor out, so no guard may let that visitor in.
#[tokio::test]
async fn session_mapping_without_a_user_is_refused_by_every_guard() {
    let upstream = upstream().await;
    let auth = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_secret([upstream.secret()])
        .session_source(SessionSource::Local)
        .session_mapping(|claims: &serde_json::Map<_, _>| match claims["role"] == "admin" {
            true => serde_json::Map::from_iter([("user".to_owned(), json!({ "name": "Ada" }))]),
            false => serde_json::Map::new(),
        });
    let (_app, browser) = app_of(auth).await;
    for (user, status) in [("demo", 401), ("admin", 200)] {
        browser.sign_in(user, user).await;
        for path in ["/session", "/protected", "/group/a"] {
            assert_eq!(browser.get(path).await.status, status, "{user} {path}");
        }
    }
}

#[tokio::test]
async fn database_session_token_is_hidden_and_sign_out_ends_the_session() {
    let builder = || FakeUpstream::builder().strategy(SessionStrategy::Database);
    for builder in [builder(), builder().robo()] {
        let upstream = users(builder).start().await.unwrap();
        let database = Auth::builder()
            .upstream_base_url(upstream.url())
            .upstream_session_strategy(SessionStrategy::Database);
        let (_app, browser) = app_of(database).await;
        browser.sign_in("demo", "demo").await;
        let raw = browser.get("/token/raw").await.body;
        assert_eq!(raw.len(), 64);
        let session = browser.get("/session").await;
        assert_eq!(session.json()["user"]["name"], "Demo");
        // Robo returns the session token in the session. The proxy removes it.
        assert!(!session.body.contains(&raw) && !session.body.contains("sessionToken"), "{}", session.body);
        let token = browser.get("/token").await;
        assert_eq!(token.json()["sub"], "1");
        assert!(!token.body.contains(&raw));
        assert_eq!(browser.get("/protected").await.status, 200);
        browser.sign_out().await;
        let again = browser.get_with("/session", &[("cookie", &format!("{COOKIE}={raw}"))]).await;
        assert_eq!(again.code(), "session_refused");
    }
}

#[tokio::test]
async fn rotated_secrets_and_chunked_tokens_are_accepted() {
    let upstream = upstream().await;
    let rotated = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_secret(["a newer secret that is long enough", upstream.secret()]);
    let (_app, browser) = app_of(rotated).await;
    let pad = "x".repeat(8_000);
    let token = mint(&json!({ "sub": "1", "name": "Demo", "pad": pad }), upstream.secret(), COOKIE);
    let chunks: Vec<String> = token
        .as_bytes()
        .chunks(3936)
        .enumerate()
        .map(|(n, chunk)| format!("{COOKIE}.{n}={}", std::str::from_utf8(chunk).unwrap()))
        .collect();
    assert!(chunks.len() == 3);
    let cookie = chunks.join("; ");
    let headers = [("cookie", cookie.as_str())];
    assert_eq!(browser.get_with("/token", &headers).await.json()["pad"], pad);
    assert_eq!(browser.get_with("/session", &headers).await.json()["user"]["name"], "Demo");
    assert_eq!(browser.get_with("/token/raw", &headers).await.body, token);
}

#[tokio::test]
async fn bearer_tokens_are_accepted_and_invalid_ones_rejected() {
    let upstream = upstream().await;
    let token = mint(&json!({ "sub": "1", "name": "Ada" }), upstream.secret(), COOKIE);
    for (_app, browser) in [app(&upstream).await, decoding_app(&upstream).await] {
        let good = format!("Bearer {token}");
        let good = [("authorization", good.as_str())];
        assert_eq!(browser.get_with("/session", &good).await.json()["user"]["name"], "Ada");
        assert_eq!(browser.get_with("/token", &good).await.json()["sub"], "1");
        let bad = [("authorization", "Bearer aaaa..bbbb.cccc.dddd")];
        for path in ["/session", "/session/optional", "/token", "/token/optional", "/protected"] {
            let answer = browser.get_with(path, &bad).await;
            assert_eq!(answer.status, 401, "{path}");
            assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{path}");
        }
        // The proxy accepts only the spelling `Bearer`. Other schemes are ignored.
        assert_eq!(
            browser.get_with("/session/optional", &[("authorization", "bearer x")]).await.body,
            "null"
        );
        // A valid Bearer token does not replace an invalid cookie.
        let both = [("cookie", "authjs.session-token=aaaa..bbbb.cccc.dddd"), good[0]];
        assert_eq!(browser.get_with("/session", &both).await.status, 401);
    }
}

#[tokio::test]
async fn session_and_token_are_read_from_a_header_map() {
    let upstream = upstream().await;
    let auth = Auth::builder()
        .upstream_base_url(upstream.url())
        .upstream_secret([upstream.secret()])
        .build()
        .unwrap();
    let mut headers = http::HeaderMap::new();
    assert!(auth.session(&headers).await.unwrap().is_none());
    assert!(auth.token(&headers).await.unwrap().is_none());
    assert!(auth.raw_token(&headers).unwrap().is_none());
    let token = mint(&json!({ "sub": "7", "name": "Ada" }), upstream.secret(), COOKIE);
    headers.insert("cookie", format!("{COOKIE}={token}").parse().unwrap());
    assert_eq!(auth.session(&headers).await.unwrap().unwrap().user.name.as_deref(), Some("Ada"));
    assert_eq!(auth.token(&headers).await.unwrap().unwrap().sub.as_deref(), Some("7"));
    assert_eq!(auth.raw_token(&headers).unwrap().unwrap().as_str(), token);
}

#[tokio::test]
async fn lookups_send_only_the_session_cookie_and_headers_of_the_proxy() {
    let upstream = upstream().await;
    let (app, browser) = app(&upstream).await;
    let token = mint(&json!({ "sub": "1" }), upstream.secret(), COOKIE);
    let cookie = format!("theme=dark; {COOKIE}={token}; authjs.csrf-token=a%7Cb; other=secret");
    browser.get_with("/session", &[("cookie", &cookie), ("x-mine", "1"), ("authorization", "Basic x")]).await;
    let seen = upstream.seen().pop().unwrap();
    assert_eq!(seen.headers["cookie"], format!("{COOKIE}={token}"));
    assert_eq!(seen.headers["x-api-key"], "k3y");
    assert_eq!(seen.headers["host"], app.addr.to_string());
    let mut names: Vec<_> = seen.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "cookie",
            "forwarded",
            "host",
            "via",
            "x-api-key",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto"
        ]
    );
}

#[tokio::test]
async fn debug_output_contains_no_secret() {
    let upstream = upstream().await;
    let auth = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let builder = format!("{auth:?}");
    let auth = auth.build().unwrap();
    let token = mint(&json!({ "sub": "1", "name": "hunter2" }), upstream.secret(), COOKIE);
    let mut headers = http::HeaderMap::new();
    headers.insert("cookie", format!("{COOKIE}={token}").parse().unwrap());
    let (session, claims) = (auth.session(&headers).await.unwrap(), auth.token(&headers).await.unwrap());
    let raw = auth.raw_token(&headers).unwrap();
    let text = format!("{builder} {auth:?} {:?} {session:?} {claims:?} {raw:?}", auth.config());
    for secret in [upstream.secret(), "k3y", &token, "hunter2"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
