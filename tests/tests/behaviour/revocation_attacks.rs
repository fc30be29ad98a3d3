//! Attacks on `session.revocation: store`: a revoked token is accepted or renewed, or another visitor loses a session.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_proxy::options::{
    Builder, RevocationList, RevocationUnavailable, SessionSource, TokenFormat, UpstreamKind,
};
use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy_tests::{App, Browser, COOKIE_NAME, SharedStore};
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use serde_json::json;

use crate::revoke_route;
use crate::support::{Auth, app_of, upstream};

const SECRET: &str = "a secret of an upstream that is thirty-two bytes long";

/// The credentials that an upstream got with each GET. Every POST clears the session cookie, as a sign-out does.
#[derive(Clone, Default)]
struct Upstream(Arc<Mutex<Vec<String>>>);

impl Upstream {
    fn answer(&self, request: &Request) -> Response {
        if request.method() == "POST" {
            return [("set-cookie", format!("{COOKIE_NAME}=; Max-Age=0; Path=/"))].into_response();
        }
        let value = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let sent = [value("cookie"), value("authorization")].into_iter().flatten().collect();
        self.0.lock().unwrap().push(sent);
        ([("content-type", "application/json")], "null").into_response()
    }

    fn seen(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join("\n")
    }

    fn auth(&self, store: &SharedStore) -> Builder<Auth> {
        let upstream = self.clone();
        let answer = move |request: Request| {
            let answer = upstream.answer(&request);
            async { answer }
        };
        Auth::builder()
            .upstream_base_url("http://auth")
            .upstream_fetch(Router::new().fallback(answer))
            .upstream_secret([SECRET])
            .session_source(SessionSource::Local)
            .session_revocation(RevocationList::Store)
            .session_store(store.clone())
            .public_url("http://app.test")
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn token(user: &str, issued_at: u64, expires: u64) -> String {
    let claims = json!({ "sub": user, "name": user, "iat": issued_at, "exp": expires });
    mint(&claims, SECRET, COOKIE_NAME)
}

async fn sign_out(app: &App, token: &str) {
    let cookie = format!("{COOKIE_NAME}={token}");
    let answer = Browser::of(app).post_with("/api/auth/signout", &[], &[("cookie", &cookie)]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn refusal(app: &App, path: &str, cookie: &str) -> String {
    let answer = Browser::of(app).get_with(path, &[("cookie", cookie)]).await;
    if answer.status == 200 { String::new() } else { answer.code() }
}

/// Another spelling of a JWE. Decoders that ignore spare bits, such as that of Node, read the same initialization vector.
fn respelled(token: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let parts: Vec<_> = token.split('.').collect();
    let (start, last) = parts[2].split_at(parts[2].len() - 1);
    let at = ALPHABET.iter().position(|digit| [*digit] == last.as_bytes()).unwrap();
    let vector = format!("{start}{}", char::from(ALPHABET[at + 1]));
    let lenient = NO_PAD.with_decode_allow_trailing_bits(true);
    let node = GeneralPurpose::new(&base64::alphabet::URL_SAFE, lenient);
    assert_eq!(node.decode(&vector), node.decode(parts[2]), "the same bytes");
    [parts[0], parts[1], &vector, parts[3], parts[4]].join(".")
}

/// A visitor can renew and sign out without end. The list has room for a million tokens.
#[tokio::test]
async fn one_visitor_does_not_fill_the_list() {
    let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
    let (app, _) = app_of(upstream.auth(&store)).await;
    let expires = now() + 3600;
    let tokens =
        |from: u64, to: u64| (from..to).map(|n| token("ada", now() - n, expires)).collect::<Vec<_>>();
    for token in tokens(0, 1000) {
        sign_out(&app, &token).await;
    }
    let (listed, unused, other) =
        (store.revocations(), token("ada", now(), expires), token("bob", now(), expires));
    let refused = async |token: &str| refusal(&app, "/token", &format!("{COOKIE_NAME}={token}")).await;
    assert_eq!([refused(&unused).await, refused(&other).await], ["", ""]);
    for token in tokens(1000, 1010) {
        sign_out(&app, &token).await;
        assert_eq!(refused(&token).await, "session_revoked");
    }
    assert_eq!(refused(&unused).await, "session_revoked", "the sign-outs of this day end each session");
    assert_eq!(refused(&other).await, "");
    assert!(store.revocations() <= listed + 20, "{listed} {}", store.revocations());
}

/// The upstream decodes base64 leniently, so it takes other spellings of a token, and renews it.
#[tokio::test]
async fn revoked_token_in_another_spelling_does_not_reach_the_upstream() {
    let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
    let (app, _) = app_of(upstream.auth(&store)).await;
    let token = token("ada", now(), now() + 3600);
    sign_out(&app, &token).await;
    no_spelling_reaches(&upstream, &app, &token).await;
}

/// The upstream hashes its own spelling.
#[tokio::test]
async fn token_that_its_hash_revoked_does_not_reach_the_upstream_in_another_spelling() {
    let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
    let (app, _) = app_of(upstream.auth(&store).revocation_webhook_secret([revoke_route::SECRET])).await;
    let token = token("ada", now(), now() + 3600);
    let hash = revoke_route::token_hash(&token);
    assert_eq!(revoke_route::revoke(&app, json!({ "token_hash": hash })).await.0, 204);
    no_spelling_reaches(&upstream, &app, &token).await;
}

async fn no_spelling_reaches(upstream: &Upstream, app: &App, token: &str) {
    upstream.seen();
    let (start, end) = token.rsplit_once('.').unwrap();
    let ciphertext_end = start.len();
    let mut padded = token.to_owned();
    padded.insert(ciphertext_end, '=');
    for (what, spelling) in [
        ("its own", token.to_owned()),
        ("spare bits", respelled(token)),
        ("padding", padded),
        ("the other alphabet", format!("{}.{end}", start.replace('-', "+").replace('_', "/"))),
        ("a character that Node skips", format!("{start}!.{end}")),
    ] {
        let cookie = format!("{COOKIE_NAME}={spelling}");
        let bearer = format!("Bearer {spelling}");
        for header in [("cookie", cookie.as_str()), ("authorization", bearer.as_str())] {
            Browser::of(app).get_with("/api/auth/session", &[header]).await;
            let seen = upstream.seen();
            assert!(!seen.contains(end), "{what} in {}: the upstream got the token", header.0);
        }
    }
}

/// A sibling host tosses a cookie with a token of its own that was revoked. A stray chunk does not count.
#[tokio::test]
async fn revoked_token_in_a_stray_chunk_signs_nobody_out() {
    let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
    let (app, _) = app_of(upstream.auth(&store)).await;
    let (own, tossed) = (token("ada", now(), now() + 3600), token("mallory", now(), now() + 3600));
    sign_out(&app, &tossed).await;
    upstream.seen();
    let cookie = format!("{COOKIE_NAME}={own}; {COOKIE_NAME}.0={tossed}");
    assert_eq!(refusal(&app, "/session", &cookie).await, "");
    Browser::of(&app).get_with("/api/auth/session", &[("cookie", &cookie)]).await;
    let seen = upstream.seen();
    assert!(seen.contains(&own) && !seen.contains(&tossed), "the upstream did not get the visitor's token");
}

/// A token is accepted until 15 seconds after its `exp`, because clocks differ.
#[tokio::test]
async fn revocation_lasts_as_long_as_the_token_is_accepted() {
    for ahead in [0, 60] {
        let (upstream, store) = (Upstream::default(), SharedStore::telling_ends());
        let (app, _) = app_of(upstream.auth(&store)).await;
        // The clock of the upstream is ahead by this many seconds.
        let token = token("ada", now() + ahead, now() + ahead + 2);
        let cookie = format!("{COOKIE_NAME}={token}");
        assert_eq!(refusal(&app, "/token", &cookie).await, "");
        sign_out(&app, &token).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(refusal(&app, "/token", &cookie).await, "session_revoked");
        let (restarted, _) = app_of(upstream.auth(&store)).await;
        assert_ne!(refusal(&restarted, "/token", &cookie).await, "", "{ahead} seconds ahead");
    }
}

/// A thief has an old token of the session. SECURITY.md says which tokens a sign-out ends.
#[tokio::test]
async fn sign_out_ends_the_tokens_that_its_instance_saw_renewed() {
    for (renewals, elsewhere, code) in
        [(1, false, "session_revoked"), (7, false, "session_revoked"), (1, true, ""), (9, false, "")]
    {
        let (upstream, store) = (upstream().await, SharedStore::telling_ends());
        let builder = || {
            let builder =
                Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
            let builder = builder.session_source(SessionSource::Local).public_url("http://app.test");
            builder.session_revocation(RevocationList::Store).session_store(store.clone())
        };
        let ((first, _), (second, _)) = (app_of(builder()).await, app_of(builder()).await);
        // Cookies do not depend on the port.
        let (browser, other) = (Browser::of(&first), second.url(""));
        browser.sign_in("demo", "demo").await;
        let stolen = format!("{COOKIE_NAME}={}", browser.get("/token/raw").await.body);
        for _ in 0..renewals {
            let origin = if elsewhere { &other } else { browser.origin() };
            browser.get(&format!("{origin}/api/auth/session")).await;
        }
        browser.sign_out().await;
        for app in [&first, &second] {
            let refused = refusal(app, "/session", &stolen).await;
            assert_eq!(refused, code, "{renewals} renewals, at another instance: {elsewhere}");
        }
    }
}

/// The cookie cache is decoded here too, so the option must decide for it as for a token.
#[tokio::test]
async fn option_decides_for_the_cookie_cache_while_the_list_may_be_incomplete() {
    for (choice, code, is_asked) in [
        (RevocationUnavailable::Allow, "", false),
        (RevocationUnavailable::AskUpstream, "", true),
        (RevocationUnavailable::Refuse, "revocation_unknown", false),
    ] {
        let fake = FakeUpstream::builder().better_auth();
        let upstream =
            fake.cookie_cache(TokenFormat::Compact, Duration::from_secs(300)).start().await.unwrap();
        let store = SharedStore::telling_ends();
        let builder =
            Auth::builder().upstream_kind(UpstreamKind::BetterAuth).upstream_base_url(upstream.url());
        let builder = builder.upstream_secret([upstream.secret()]).public_url("http://app.test");
        let builder = builder.session_revocation(RevocationList::Store).session_store(store.clone());
        let (app, _) = app_of(builder.session_revocation_unavailable(choice)).await;
        let cookie = upstream.visitor(&json!({ "sub": "1", "name": "Ada" })).cookie();
        store.go_down();
        upstream.forget_seen();
        assert_eq!(refusal(&app, "/session", &cookie).await, code, "{choice:?}");
        assert_eq!(upstream.lookups() > 0, is_asked, "{choice:?}");
    }
}

/// The store is down: the upstream decides, in one lookup.
#[tokio::test]
async fn request_asks_the_upstream_once_while_the_list_may_be_incomplete() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let builder = builder.session_source(SessionSource::Upstream).public_url("http://app.test");
    let builder = builder.session_revocation(RevocationList::Store).session_store(store.clone());
    let (app, browser) = app_of(builder).await;
    browser.sign_in("demo", "demo").await;
    let cookie = format!("{COOKIE_NAME}={}", browser.get("/token/raw").await.body);
    store.go_down();
    upstream.forget_seen();
    let answer = Browser::of(&app).get_with("/session", &[("cookie", &cookie)]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(upstream.lookups(), 1);
    assert!(answer.cookies().iter().any(|line| line.contains("session-token=ey")), "the renewed token");
}

/// Guards without a policy read the token here, also where the session comes from the upstream.
#[tokio::test]
async fn revoked_token_passes_no_extractor_and_no_guard() {
    for source in [SessionSource::Upstream, SessionSource::Local] {
        for has_kind in [false, true] {
            let (upstream, store) = (upstream().await, SharedStore::telling_ends());
            let builder = || {
                let builder = Auth::builder().upstream_base_url(upstream.url());
                let builder = builder.upstream_secret([upstream.secret()]).public_url("http://app.test");
                // With the kind, the session cookie has one name only.
                let builder = if has_kind { builder.upstream_kind(UpstreamKind::Authjs) } else { builder };
                let builder = builder.session_revocation(RevocationList::Store).session_store(store.clone());
                builder.session_source(source)
            };
            let ((_first, browser), (second, _)) = (app_of(builder()).await, app_of(builder()).await);
            browser.sign_in("demo", "demo").await;
            let cookie = format!("{COOKIE_NAME}={}", browser.get("/token/raw").await.body);
            let paths = ["/session", "/token", "/protected", "/group/a"];
            for path in paths {
                assert_eq!(refusal(&second, path, &cookie).await, "", "{path}");
            }
            browser.sign_out().await;
            for path in paths {
                let refused = refusal(&second, path, &cookie).await;
                assert_eq!(refused, "session_revoked", "{path}, {source:?}, with the kind: {has_kind}");
            }
        }
    }
}

/// Auth.js keeps its tokens valid after a sign-out, and only clears the cookie.
#[tokio::test]
async fn sign_out_ends_a_waiting_handler_without_a_list_too() {
    let upstream = upstream().await;
    let auth = Auth::builder().upstream_base_url(upstream.url()).public_url("http://app.test");
    let auth = auth.build().unwrap();
    let app = App::start(crate::support::routes(&auth)).await;
    let browser = Browser::of(&app);
    browser.sign_in("demo", "demo").await;
    let cookie = format!("{COOKIE_NAME}={}", browser.get("/token/raw").await.body);
    let headers = HeaderMap::from_iter([("cookie".parse().unwrap(), cookie.parse().unwrap())]);
    let session = auth.session(&headers).await.unwrap().unwrap();
    let waiting = tokio::spawn(async move { session.ended().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    browser.sign_out().await;
    let end = tokio::time::timeout(Duration::from_secs(1), waiting).await;
    assert!(end.is_ok(), "the handler goes on after the sign-out");
}

/// The upstream is asked in an outage of the store. It may rotate tokens of other services then, so the browser must get
/// the renewed cookie.
#[tokio::test]
async fn renewed_cookie_reaches_the_browser_while_the_list_may_be_incomplete() {
    let (upstream, store) = (upstream().await, SharedStore::telling_ends());
    let builder = Auth::builder().upstream_base_url(upstream.url()).upstream_secret([upstream.secret()]);
    let builder = builder.session_source(SessionSource::Local).public_url("http://app.test");
    let builder = builder.session_revocation(RevocationList::Store).session_store(store.clone());
    let (app, browser) = app_of(builder).await;
    browser.sign_in("demo", "demo").await;
    let cookie = format!("{COOKIE_NAME}={}", browser.get("/token/raw").await.body);
    store.go_down();
    let answer = Browser::of(&app).get_with("/session", &[("cookie", &cookie)]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.cookies().iter().any(|line| line.contains("session-token=ey")), "{:?}", answer.cookies());
}
