//! The requests that the route takes.

use auth_proxy::options::{Builder, Expected, RevocationList, TokenFormat, UpstreamKind};
use auth_proxy_tests::{Events, SharedStore, loopback_client, settles};
use serde_json::json;

use super::super::endpoint::KeyEndpoint;
use super::super::signer::{AUDIENCE, ISSUER, Signer, key_set};
use super::super::{Machines, app_of, assert_accepted};
use super::{FORM, accepted, app, assert_ended, builder, logout, logout_token, post, refused, session, tell};
use crate::support::Auth;

const SECRET: &str = "a secret of the webhook, 32 bytes and more";

#[tokio::test]
async fn form_has_exactly_one_logout_token_in_its_body() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, _browser) = app(&endpoint, &store).await;
    let token = logout_token(&signer, &logout("1", json!({})));
    let other = logout_token(&signer, &logout("2", json!({ "sid": "bob-1" })));
    for body in [
        String::new(),
        "logout_token".to_owned(),
        "logout_token=".to_owned(),
        format!("token={token}"),
        format!("LOGOUT_TOKEN={token}"),
        format!("logout_token={token}&logout_token={token}"),
        format!("logout_token={token}&logout_token={other}"),
        format!("logout_token={token}&logout%5Ftoken={other}"),
        format!("logout_token=&logout_token={token}"),
        json!({ "logout_token": token }).to_string(),
    ] {
        let told = post(&app, FORM, body.clone()).await;
        assert_eq!((told.status, told.code.as_str()), (400, "logout_token_missing"), "{body}");
    }
    let huge = post(&app, FORM, format!("logout_token={token}&x={}", "x".repeat(16 * 1024))).await;
    assert_eq!((huge.status, huge.code.as_str()), (413, "body_too_large"));
    // A query is no body.
    let url = app.url(&format!("/api/auth/_revoke?logout_token={token}"));
    let answer = loopback_client().post(url).header("content-type", FORM).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 400);
    assert_eq!(store.revocations(), 0);
    let content_type = format!("{}; charset=UTF-8", FORM.to_uppercase());
    assert_eq!(post(&app, &content_type, format!("a=1&logout_token={token}&a=2")).await.status, 200);
    assert_eq!(store.revocations(), 1);
}

#[tokio::test]
async fn only_post_is_answered() {
    let (signer, store) = (Signer::ed25519("a"), SharedStore::telling_ends());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, _browser) = app(&endpoint, &store).await;
    let token = logout_token(&signer, &logout("1", json!({})));
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let url = app.url(&format!("/api/auth/_revoke?logout_token={token}"));
        let request = loopback_client().request(method.parse().unwrap(), url).header("content-type", FORM);
        let answer = request.body(format!("logout_token={token}")).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["allow"]), (405, &"POST".parse().unwrap()));
    }
    assert_eq!((store.revocations(), endpoint.count()), (0, 0));
}

/// Posts a signed message about this session, with this content type.
async fn signed(app: &auth_proxy_tests::App, content_type: &str, name: &str) -> (u16, String) {
    let body = json!({ "session": name }).to_string();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let at = super::now();
    let mac = aws_lc_rs::hmac::sign(&key, format!("{at}.{body}").as_bytes());
    let mac: String = mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = loopback_client().post(app.url("/api/auth/_revoke")).header("content-type", content_type);
    let request = request.header("x-auth-proxy-signature", format!("t={at},v1={mac}"));
    let response = request.body(body).send().await.unwrap();
    let status = response.status().as_u16();
    let problem: serde_json::Value = response.json().await.unwrap_or_default();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn content_type_tells_the_kind_and_a_kind_that_is_off_is_refused() {
    let signer = Signer::ed25519("a");
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let off = || (415, "revocation_kind_off".to_owned());
    let hook = |builder: Builder<Machines>| builder.revocation_webhook_secret([SECRET]);
    // Both.
    let store = SharedStore::telling_ends();
    let (app, browser) = app_of(hook(builder(&endpoint, &store))).await;
    assert_eq!(tell(&app, &logout_token(&signer, &logout("1", json!({})))).await, accepted());
    assert_eq!(signed(&app, "application/json", "bob-1").await, (204, String::new()));
    assert_eq!(signed(&app, FORM, "eve-1").await, (400, "logout_token_missing".to_owned()));
    // A logout token needs no signature of the webhook, and a signed message no logout token: each has its own check.
    let token = logout_token(&signer, &logout("2", json!({})));
    for other in ["application/json", "text/plain", "application/jwt", "multipart/form-data"] {
        let told = post(&app, other, format!("logout_token={token}")).await;
        assert_eq!((told.status, told.code.as_str()), (401, "signature_missing"), "{other}");
    }
    assert_ended(&browser, &session(&signer, "ada", "ada-1", 0)).await;
    assert_ended(&browser, &session(&signer, "bob", "bob-1", 0)).await;
    assert_accepted(&browser, &session(&signer, "eve", "eve-1", 0), "eve").await;
    // Logout tokens only.
    let (app, _browser) = app_of(builder(&endpoint, &store)).await;
    assert_eq!(signed(&app, "application/json", "eve-1").await, off());
    assert_eq!(tell(&app, &token).await, accepted());
    // Signed messages only.
    let (app, browser) = app_of(hook(builder(&endpoint, &store)).revocation_back_channel(false)).await;
    assert_eq!(tell(&app, &logout_token(&signer, &logout("3", json!({ "sid": "eve-1" })))).await, off());
    assert_accepted(&browser, &session(&signer, "eve", "eve-1", 0), "eve").await;
    assert_eq!(signed(&app, "application/json", "eve-1").await, (204, String::new()));
    // Neither: there is no route.
    let (app, _browser) = app_of(builder(&endpoint, &store).revocation_back_channel(false)).await;
    let url = app.url("/api/auth/_revoke");
    assert_eq!(loopback_client().post(url).send().await.unwrap().status().as_u16(), 404);
}

/// A proxy with sign-in routes takes logout tokens too, and forwards none of them.
#[tokio::test]
async fn logout_token_is_not_forwarded() {
    let signer = Signer::es256("a");
    let store = SharedStore::telling_ends();
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let upstream = crate::support::upstream().await;
    let (app, browser) = crate::support::app_of(
        Auth::builder()
            .upstream_kind(UpstreamKind::Authjs)
            .upstream_base_url(upstream.url())
            .public_url("http://app.test")
            .upstream_token(TokenFormat::Jwks)
            .upstream_audience(Expected::Is(AUDIENCE.to_owned()))
            .upstream_issuer(Expected::Is(ISSUER.to_owned()))
            .jwks_url(endpoint.url())
            .session_revocation(RevocationList::Store)
            .session_store(store.clone())
            .revocation_back_channel(true),
    )
    .await;
    let cookie = format!("authjs.session-token={}", session(&signer, "ada", "ada-1", 0));
    assert_eq!(browser.get_with("/token", &[("cookie", &cookie)]).await.json()["sub"], "ada");
    upstream.forget_seen();
    assert_eq!(tell(&app, &logout_token(&signer, &logout("1", json!({})))).await, accepted());
    assert_eq!(browser.get_with("/token", &[("cookie", &cookie)]).await.code(), "session_revoked");
    assert_eq!(upstream.seen().len(), 0);
}

#[test]
fn back_channel_needs_the_list_the_keys_and_whom_tokens_are_for() {
    let store = || SharedStore::telling_ends();
    let machines = || Machines::builder().jwks_url("https://id.example/keys").session_store(store());
    let listed = || machines().session_revocation(RevocationList::Store);
    assert!(listed().revocation_back_channel(true).build().is_ok());
    let any_audience = listed().upstream_audience(Expected::Any);
    let other = Auth::builder().upstream_base_url("http://auth").session_store(store());
    let other = other.session_revocation(RevocationList::Store).revocation_back_channel(true);
    for (built, expected) in [
        (
            machines().revocation_back_channel(true).build().map(drop),
            "revocation.back_channel: `revocation.back_channel` adds to the list of revoked tokens, and there is none: add `session: { revocation: store }`",
        ),
        (
            any_audience.revocation_back_channel(true).build().map(drop),
            "upstream.audience: `revocation.back_channel` needs the client id of this app",
        ),
        (
            other.build().map(drop),
            "revocation.back_channel: logout tokens are verified with the keys that their issuer publishes: add `upstream: { token: jwks, issuer: ",
        ),
    ] {
        let message = built.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn observer_gets_each_logout_token_that_is_accepted_or_refused() {
    let (signer, store, events) = (Signer::ed25519("a"), SharedStore::telling_ends(), Events::default());
    let endpoint = KeyEndpoint::of(key_set(&[&signer])).await;
    let (app, _browser) = app_of(builder(&endpoint, &store).observer(events.observer())).await;
    let of_user = logout_token(&signer, &logout("1", json!({ "sid": null })));
    let of_session = logout_token(&signer, &logout("2", json!({})));
    for token in [&of_user, &of_session] {
        assert_eq!(tell(&app, token).await, accepted());
    }
    assert_eq!(tell(&app, &of_user).await, refused("logout_token_replayed"));
    assert!(settles(|| events.all().len() == 3).await);
    let revoked = json!({ "event": "revoked", "by": "back_channel", "stored": true, "client": "127.0.0.1" });
    let (mut of_user, mut of_session) = (revoked.clone(), revoked);
    (of_user["what"], of_user["subject"], of_session["what"]) =
        (json!("subject"), json!("ada"), json!("session"));
    let replayed =
        json!({ "event": "revocation_refused", "code": "logout_token_replayed", "client": "127.0.0.1" });
    assert_eq!(events.json(), [of_user, of_session, replayed]);
}
