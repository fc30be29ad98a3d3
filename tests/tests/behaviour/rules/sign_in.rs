//! The age and the class of the sign-in.

use std::time::Duration;

use auth_proxy::errors::GuardRejection;
use auth_proxy::options::UpstreamKind;
use auth_proxy::rules::{acr, all, any, max_age, not, role};
use auth_proxy_tests::LogCapture;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::{NOW, builder, decide, of, request};

const MINUTES: Duration = Duration::from_secs(600);
const TOO_OLD: &str = "401 step_up_required";
const UNKNOWN: &str = "403 sign_in_time_unknown";

#[tokio::test]
async fn sign_in_may_be_as_old_as_the_rule_says() {
    for (auth_time, expected) in [
        (json!(NOW), "ok"),
        (json!(NOW - 600), "ok"),
        (json!(NOW - 599), "ok"),
        (json!(NOW as f64 - 0.5), "ok"),
        // Clocks may differ by 15 seconds.
        (json!(NOW - 615), "ok"),
        (json!(NOW - 616), TOO_OLD),
        (json!(NOW - 86_400), TOO_OLD),
        (json!(1), TOO_OLD),
        (json!(NOW + 15), "ok"),
        // A time in the future proves nothing.
        (json!(NOW + 16), TOO_OLD),
        (json!(NOW * 1000), TOO_OLD),
        (json!(1e300), TOO_OLD),
        (json!(0), UNKNOWN),
        (json!(-1), UNKNOWN),
        (json!(null), UNKNOWN),
        (json!("soon"), UNKNOWN),
        (json!(NOW.to_string()), UNKNOWN),
        (json!([NOW]), UNKNOWN),
        (json!("2027-01-15T08:00:00.000Z"), "ok"),
        (json!("2027-01-15T07:45:00.000Z"), TOO_OLD),
        (json!("1969-01-01T00:00:00.000Z"), UNKNOWN),
    ] {
        let time = json!({ "auth_time": auth_time });
        let nobody = json!({ "user": {} });
        assert_eq!(decide(&nobody, &time, max_age(MINUTES)).await, expected, "claim {auth_time}");
        let session = json!({ "user": {}, "auth_time": auth_time });
        assert_eq!(decide(&session, &json!({}), max_age(MINUTES)).await, expected, "session {auth_time}");
        let user = json!({ "user": time });
        assert_eq!(decide(&user, &json!({}), max_age(MINUTES)).await, expected, "user {auth_time}");
    }
}

/// `iat` is the time of the token, which every lookup of Auth.js renews.
#[tokio::test]
async fn time_of_the_token_is_not_the_time_of_the_sign_in() {
    let renewed = json!({ "iat": NOW, "exp": NOW + 600, "createdAt": NOW });
    let user = json!({ "user": { "createdAt": "2027-01-15T08:00:00.000Z" }, "createdAt": NOW, "iat": NOW });
    assert_eq!(decide(&user, &renewed, max_age(MINUTES)).await, UNKNOWN);
}

#[tokio::test]
async fn oldest_time_of_the_sign_in_counts() {
    let session = |at: u64| json!({ "user": {}, "auth_time": at });
    for (in_session, in_token, expected) in
        [(NOW, NOW, "ok"), (NOW - 700, NOW, TOO_OLD), (NOW, NOW - 700, TOO_OLD)]
    {
        let claims = json!({ "auth_time": in_token });
        assert_eq!(decide(&session(in_session), &claims, max_age(MINUTES)).await, expected);
    }
    let unreadable = json!({ "auth_time": "yesterday" });
    assert_eq!(decide(&session(NOW), &unreadable, max_age(MINUTES)).await, UNKNOWN);
}

/// Better Auth has its fields of the session in `session`, and so has an additional field `auth_time` there.
#[tokio::test]
async fn time_and_impersonation_in_the_details_of_the_session_count() {
    for (details, expected) in [
        (json!({ "auth_time": NOW }), "ok"),
        (json!({ "auth_time": NOW - 700 }), TOO_OLD),
        (json!({ "auth_time": "yesterday" }), UNKNOWN),
        (json!({ "auth_time": NOW, "impersonatedBy": null }), "ok"),
        (json!({ "auth_time": NOW, "impersonatedBy": "1" }), UNKNOWN),
        (json!({ "auth_time": NOW, "impersonatedBy": 7 }), UNKNOWN),
    ] {
        let session = json!({ "user": {}, "auth_time": NOW, "session": details });
        assert_eq!(decide(&session, &json!({}), max_age(MINUTES)).await, expected, "{details}");
    }
}

/// What is unknown is not allowed by a negation, and neither is what a new sign-in would change.
#[tokio::test]
async fn negated_age_allows_nobody() {
    for time in [json!(NOW), json!(NOW - 700), json!(NOW + 700), json!(null)] {
        let claims = json!({ "auth_time": time });
        let found = decide(&json!({ "user": {} }), &claims, not(max_age(MINUTES))).await;
        assert!(found.starts_with("403"), "{time}: {found}");
    }
}

#[tokio::test]
async fn class_of_the_sign_in_is_acr_or_in_amr() {
    for (claims, expected) in [
        (json!({ "acr": "mfa" }), "ok"),
        (json!({ "amr": ["pwd", "mfa"] }), "ok"),
        (json!({ "acr": "1", "amr": ["mfa"] }), "ok"),
        (json!({ "acr": "MFA" }), TOO_OLD),
        (json!({ "acr": ["mfa"] }), TOO_OLD),
        (json!({ "amr": "mfa" }), TOO_OLD),
        (json!({ "amr": [] }), TOO_OLD),
        (json!({ "acr": null }), TOO_OLD),
        (json!({}), TOO_OLD),
    ] {
        assert_eq!(decide(&json!({ "user": {} }), &claims, acr("mfa")).await, expected, "{claims}");
    }
}

/// The response to a request with these headers.
async fn response<M>(
    claims: Value,
    headers: &[(&'static str, &str)],
    rule: impl auth_proxy::rules::IntoRule<crate::support::Auth, M>,
) -> (u16, http::HeaderMap, String) {
    let auth = builder().build().unwrap();
    let mut parts = request(&json!({ "user": { "role": "user" } }), &claims);
    for (name, value) in headers {
        parts.headers.append(*name, value.parse().unwrap());
    }
    let rejection: GuardRejection = auth.authorize(&mut parts, rule).await.unwrap_err();
    let (parts, body) = rejection.into_response().into_parts();
    let body = axum::body::to_bytes(body, 9999).await.unwrap();
    (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

const PAGE: (&str, &str) = ("accept", "text/html");

#[tokio::test]
async fn challenge_says_what_the_new_sign_in_has_to_bring() {
    let old = || json!({ "auth_time": NOW - 700 });
    let (status, headers, body) = response(old(), &[], max_age(MINUTES)).await;
    assert_eq!(status, 401);
    assert!(body.contains(r#""code":"step_up_required""#), "{body}");
    assert_eq!(headers["cache-control"], "no-store");
    let challenge = r#"Bearer error="insufficient_user_authentication", error_description="A more recent sign-in is required", max_age="600""#;
    assert_eq!(headers["www-authenticate"], challenge);
    let both = all((max_age(MINUTES), acr("mfa")));
    let (_, headers, _) = response(old(), &[], both).await;
    let challenge = headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.ends_with(r#", max_age="600", acr_values="mfa""#), "{challenge}");
    // A new sign-in would not help, so it is not asked for.
    let (status, headers, _) = response(old(), &[PAGE], all((max_age(MINUTES), role("admin")))).await;
    assert_eq!((status, headers.get("location")), (403, None));
    let (status, ..) = response(old(), &[], any((role("admin"), max_age(MINUTES)))).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn navigation_is_sent_to_sign_in_once_for_the_same_sign_in() {
    let old = |age: u64| json!({ "auth_time": NOW - age });
    let (status, headers, _) = response(old(700), &[PAGE], max_age(MINUTES)).await;
    assert_eq!(
        (status, headers["location"].to_str().unwrap()),
        (303, "/api/auth/signin?callbackUrl=%2Fpage")
    );
    let cookie = headers["set-cookie"].to_str().unwrap();
    let (cookie, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; Max-Age=600; HttpOnly; SameSite=Lax");
    // Back with the same sign-in: no second redirect, and the next attempt starts again.
    let sent = ("cookie", cookie);
    let (status, headers, body) = response(old(700), &[PAGE, sent], max_age(MINUTES)).await;
    assert_eq!((status, headers.get("location")), (401, None), "{body}");
    assert!(headers["set-cookie"].to_str().unwrap().starts_with("auth-proxy.step-up=; Path=/; Max-Age=0"));
    // Back with a newer one that is too old again.
    let (status, headers, _) = response(old(650), &[PAGE, sent], max_age(MINUTES)).await;
    assert_eq!(status, 303);
    assert_ne!(headers["set-cookie"].to_str().unwrap().split_once(';').unwrap().0, cookie);
    // A cookie that a client made up is no permission.
    for forged in ["auth-proxy.step-up=", "auth-proxy.step-up", "auth-proxy.step-up=1; auth-proxy.step-up=2"]
    {
        let (status, ..) = response(old(700), &[PAGE, ("cookie", forged)], max_age(MINUTES)).await;
        assert_eq!(status, 303, "{forged}");
    }
}

/// A sign-in of the wrong class has a new time, which must not start a loop.
#[tokio::test]
async fn sign_in_of_the_wrong_class_is_not_asked_for_twice_in_a_row() {
    let claims = |at: u64| json!({ "acr": "pwd", "auth_time": at });
    let (status, headers, _) = response(claims(NOW - 60), &[PAGE], acr("mfa")).await;
    assert_eq!(status, 303);
    let cookie = headers["set-cookie"].to_str().unwrap().split_once(';').unwrap().0.to_owned();
    let (status, headers, _) = response(claims(NOW), &[PAGE, ("cookie", &cookie)], acr("mfa")).await;
    assert_eq!(status, 401);
    // The next time it is.
    assert!(headers["set-cookie"].to_str().unwrap().starts_with("auth-proxy.step-up=; Path=/; Max-Age=0"));
    assert_eq!(response(claims(NOW), &[PAGE], acr("mfa")).await.0, 303);
}

#[tokio::test]
async fn programs_and_unknown_times_are_not_redirected() {
    let old = || json!({ "auth_time": 1 });
    assert_eq!(response(old(), &[("accept", "application/json")], max_age(MINUTES)).await.0, 401);
    assert_eq!(response(old(), &[PAGE, ("sec-fetch-mode", "cors")], max_age(MINUTES)).await.0, 401);
    let log = LogCapture::start();
    let (status, headers, _) = response(json!({}), &[PAGE], max_age(MINUTES)).await;
    assert_eq!((status, headers.get("location"), headers.get("set-cookie")), (403, None, None));
    let text = log.text();
    assert!(text.contains("let the callback `jwt` of Auth.js write `auth_time`"), "{text}");
    // A Bearer token is a program's.
    let auth = builder().build().unwrap();
    let mut parts = request(&json!({ "user": {} }), &old());
    let token =
        parts.headers.remove("cookie").unwrap().to_str().unwrap().split_once('=').unwrap().1.to_owned();
    parts.headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    parts.headers.insert("accept", "text/html".parse().unwrap());
    let refused = auth.authorize(&mut parts, max_age(MINUTES)).await.unwrap_err();
    let response = refused.into_response();
    assert_eq!((response.status().as_u16(), response.headers().get("location")), (401, None));
    assert!(
        response.headers()["www-authenticate"].to_str().unwrap().contains("insufficient_user_authentication")
    );
}

#[tokio::test]
async fn cookie_of_a_redirect_is_secure_behind_https() {
    let auth = builder().public_url("https://app.example.com").build().unwrap();
    let mut parts = request(&json!({ "user": {} }), &json!({ "auth_time": 1 }));
    parts.headers.insert("accept", "text/html".parse().unwrap());
    let found = auth.authorize(&mut parts, max_age(MINUTES)).await;
    assert_eq!(of(found.clone()), TOO_OLD);
    let response = found.unwrap_err().into_response();
    assert_eq!(
        response.headers()["location"],
        "/api/auth/signin?callbackUrl=https%3A%2F%2Fapp.example.com%2Fpage"
    );
    assert!(response.headers()["set-cookie"].to_str().unwrap().ends_with("; SameSite=Lax; Secure"));
}

/// Better Auth notes when it made a session.
#[tokio::test]
async fn session_of_better_auth_begins_with_the_sign_in() {
    use auth_proxy::testing::FakeUpstream;

    let upstream = FakeUpstream::builder().better_auth().start().await.unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for (later, expected) in [(0, "ok"), (590, "ok"), (640, TOO_OLD)] {
        let auth = crate::support::Auth::builder()
            .upstream_base_url(upstream.url())
            .upstream_kind(UpstreamKind::BetterAuth)
            .clock(move || now + later)
            .build()
            .unwrap();
        let visitor = upstream.visitor(&json!({ "sub": "1", "name": "Ada", "email": "ada@example.com" }));
        let request = http::Request::get("/page").header("cookie", visitor.cookie());
        let mut parts = request.body(()).unwrap().into_parts().0;
        assert_eq!(of(auth.authorize(&mut parts, max_age(MINUTES)).await), expected, "{later}");
    }
}
