//! Better Auth with its jwt plugin: the cookie cache under a published key, and tokens of the plugin.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy::options::{Builder, Expected, TokenFormat, UpstreamKind};
use auth_proxy_tests::{App, Browser};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use super::signer::{AUDIENCE, FAR, ISSUER, Signer, key_set};
use crate::support::{self, Auth};

const COOKIE: &str = "better-auth.session_token";

/// A signature of 32 bytes, as the session cookie carries it. Only the upstream can check it without the secret.
const SIGNATURE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D";

/// A Better Auth server that publishes keys. `get-session` knows one session, `live`.
struct Upstream {
    app: App,
    state: Arc<Mutex<Received>>,
}

struct Received {
    keys: Value,
    /// Paths below the base path.
    paths: Vec<String>,
}

impl Upstream {
    async fn start(keys: Value) -> Self {
        let state = Arc::new(Mutex::new(Received { keys, paths: Vec::new() }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        Self { app: App::start(router).await, state }
    }

    fn builder(&self) -> Builder<Auth> {
        Auth::builder()
            .upstream_kind(UpstreamKind::BetterAuth)
            .upstream_base_url(self.app.url(""))
            .upstream_token(TokenFormat::Jwks)
            .upstream_issuer(Expected::Is(ISSUER.to_owned()))
            .upstream_audience(Expected::Is(AUDIENCE.to_owned()))
    }

    fn count(&self, path: &str) -> usize {
        self.state.lock().unwrap().paths.iter().filter(|known| *known == path).count()
    }

    async fn until_keys_are_known(&self, count: usize) {
        while self.count("/jwks") < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The response has to arrive too.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn answer(State(state): State<Arc<Mutex<Received>>>, request: Request) -> Response {
    let mut state = state.lock().unwrap();
    let path = request.uri().path().strip_prefix("/api/auth").unwrap_or_default().to_owned();
    state.paths.push(path.clone());
    match path.as_str() {
        "/jwks" => {
            assert_eq!(request.headers()["x-api-key"], "k3y");
            Json(state.keys.clone()).into_response()
        }
        "/get-session" => {
            let cookie =
                request.headers().get("cookie").map(|cookie| cookie.to_str().unwrap()).unwrap_or_default();
            let is_known = cookie.contains(&format!("{COOKIE}=live."));
            Json(is_known.then(|| session("asked"))).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn session(user: &str) -> Value {
    json!({
        "session": { "id": "s", "userId": user, "token": "live", "expiresAt": "2099-12-31T23:59:59.000Z" },
        "user": { "id": user, "email": "ada@example.com", "name": "Ada", "role": "admin" },
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of a cookie cache.
fn cached(user: &str) -> Value {
    let mut claims = session(user);
    let now = now();
    for (name, value) in [
        ("updatedAt", json!(now * 1000)),
        ("version", json!("1")),
        ("iss", json!(ISSUER)),
        ("aud", json!("better-auth:session-cache")),
        ("sub", json!(user)),
        ("sid", json!("live")),
        ("iat", json!(now)),
        ("exp", json!(now + 300)),
    ] {
        claims[name] = value;
    }
    claims
}

fn cookie_cache(signer: &Signer, claims: &Value) -> String {
    let mut header = signer.header();
    header["typ"] = json!("better-auth.session-cache+jwt");
    signer.token_with(&header, claims)
}

/// The user's id in the response to a request with these cookies.
async fn user(browser: &Browser, token: &str, cache: &str) -> Option<String> {
    let cookie = format!("{COOKIE}={token}.{SIGNATURE}; better-auth.session_data={cache}");
    let answer = browser.get_with("/session", &[("cookie", &cookie)]).await;
    (answer.status == 200).then(|| answer.json()["user"]["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn cookie_cache_under_a_published_key_saves_the_lookup() {
    let (signer, next, foreign) = (Signer::ed25519("a"), Signer::es256("b"), Signer::ed25519("a"));
    let upstream = Upstream::start(key_set(&[&signer])).await;
    let (_app, browser) = support::app_of(upstream.builder()).await;
    // The request does not wait for the keys: the upstream is asked for the session meanwhile.
    let good = cookie_cache(&signer, &cached("cached"));
    assert_eq!(user(&browser, "live", &good).await.as_deref(), Some("asked"));
    upstream.until_keys_are_known(1).await;
    for _ in 0..3 {
        assert_eq!(user(&browser, "live", &good).await.as_deref(), Some("cached"));
    }
    assert_eq!((upstream.count("/get-session"), upstream.count("/jwks")), (1, 1));
    // Whatever is wrong with the copy, the upstream is asked.
    let changed = |name: &str, value: Value| {
        let mut claims = cached("cached");
        claims[name] = value;
        cookie_cache(&signer, &claims)
    };
    for bad in [
        cookie_cache(&foreign, &cached("cached")),
        signer.token_of(&cached("cached")),
        changed("aud", json!(AUDIENCE)),
        changed("iss", json!("https://evil.example")),
        changed("sid", json!("other")),
        changed("sub", json!("other")),
        changed("exp", json!(now() - 1)),
        "garbage".to_owned(),
    ] {
        assert_eq!(user(&browser, "live", &bad).await.as_deref(), Some("asked"), "{bad:.100}");
    }
    assert_eq!(user(&browser, "other", &good).await, None, "the copy of another session");
    // A new key is searched for once, and counts when it is known.
    upstream.state.lock().unwrap().keys = key_set(&[&signer, &next]);
    let newer = cookie_cache(&next, &cached("cached"));
    assert_eq!(user(&browser, "live", &newer).await.as_deref(), Some("asked"));
    upstream.until_keys_are_known(2).await;
    assert_eq!(user(&browser, "live", &newer).await.as_deref(), Some("cached"));
    for n in 0..20 {
        let mut header = signer.header();
        header["typ"] = json!("better-auth.session-cache+jwt");
        header["kid"] = json!(format!("made-up-{n}"));
        let made_up = signer.token_with(&header, &cached("eve"));
        assert_eq!(user(&browser, "live", &made_up).await.as_deref(), Some("asked"));
    }
    assert_eq!(upstream.count("/jwks"), 2);
}

/// A token of the jwt plugin holds the whole user record. It is verified here, and other Bearer tokens upstream.
#[tokio::test]
async fn bearer_token_of_the_jwt_plugin_is_verified_here() {
    let signer = Signer::ed25519("a");
    let upstream = Upstream::start(key_set(&[&signer])).await;
    let (_app, browser) = support::app_of(upstream.builder()).await;
    let claims = json!({
        "sub": "u", "id": "u", "name": "Ada", "email": "ada@example.com", "role": "admin",
        "iss": ISSUER, "aud": AUDIENCE, "iat": now(), "exp": FAR,
    });
    let bearer = |token: &str| [("authorization", format!("Bearer {token}"))];
    let ask = async |path: &str, token: &str| {
        let [(name, value)] = &bearer(token);
        browser.get_with(path, &[(*name, value)]).await
    };
    let token = signer.token_of(&claims);
    assert_eq!(ask("/token", &token).await.json(), claims);
    assert_eq!(ask("/session", &token).await.json()["user"]["id"], "u");
    assert_eq!(ask("/protected", &token).await.body, "ok");
    assert_eq!(ask("/admin", &token).await.body, "ok");
    assert_eq!((upstream.count("/get-session"), upstream.count("/jwks")), (0, 1));
    for (changed, code) in [
        (json!({ "aud": "other" }), "token_wrong_audience"),
        (json!({ "iss": "other" }), "token_wrong_issuer"),
        (json!({ "exp": 1 }), "token_expired"),
    ] {
        let mut claims = claims.clone();
        changed.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        for path in ["/token", "/session", "/protected", "/session/optional"] {
            assert_eq!(ask(path, &signer.token_of(&claims)).await.code(), code, "{path}");
        }
    }
    // The cookie cache of a visitor is no Bearer token, although the same key signs it.
    assert_eq!(ask("/session", &cookie_cache(&signer, &cached("eve"))).await.code(), "token_unsupported");
    let foreign = Signer::ed25519("unknown").token_of(&claims);
    assert_eq!(ask("/session", &foreign).await.code(), "token_unknown_key");
    assert_eq!(upstream.count("/get-session"), 0);
    // A session token is no JWT, so the upstream is asked.
    assert_eq!(ask("/session", "opaque").await.status, 401);
    assert_eq!(upstream.count("/get-session"), 1);
}

/// The upstream does not know tokens of the plugin at `get-session`, so it cannot tell whether one was revoked. An outage of
/// the store is no sign-out.
#[tokio::test]
async fn outage_of_the_store_does_not_sign_a_token_of_the_jwt_plugin_out() {
    let signer = Signer::ed25519("a");
    let upstream = Upstream::start(key_set(&[&signer])).await;
    let store = auth_proxy_tests::SharedStore::telling_ends();
    let builder = upstream.builder().session_revocation(auth_proxy::options::RevocationList::Store);
    let (_app, browser) = support::app_of(builder.session_store(store.clone())).await;
    let claims = json!({ "sub": "u", "id": "u", "iss": ISSUER, "aud": AUDIENCE, "iat": now(), "exp": FAR });
    let bearer = format!("Bearer {}", signer.token_of(&claims));
    let ask = async || browser.get_with("/token", &[("authorization", &bearer)]).await;
    assert_eq!(ask().await.status, 200);
    store.go_down();
    let answer = ask().await;
    assert!(matches!(answer.status, 200 | 503), "{} {}", answer.status, answer.code());
}
