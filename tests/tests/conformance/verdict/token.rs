//! The signed token, checked by the library of JavaScript that most services use.

use auth_proxy::testing::FakeUpstream;
use auth_proxy::verdict::{IdentityToken, SigningKey};
use auth_proxy_tests::process::node;
use auth_proxy_tests::{App, Browser};
use axum::Router;
use serde_json::{Value, json};

auth_proxy::auth_proxy! {
    struct Auth { upstream: { base_url: env("URL") }, trusted_proxies: ["127.0.0.1/32"] }
}

/// Made with `openssl genpkey`, as the guide says.
fn key(algorithm: &[&str]) -> SigningKey {
    let output = std::process::Command::new("openssl").arg("genpkey").args(algorithm).output().unwrap();
    SigningKey::from_pem(&String::from_utf8(output.stdout).unwrap()).unwrap()
}

#[tokio::test]
async fn jose_accepts_the_token_under_its_own_audience_only() {
    let upstream = FakeUpstream::builder()
        .user("demo", "demo", json!({ "sub": "1", "name": "Demo" }))
        .start()
        .await
        .unwrap();
    let p256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    for algorithm in [&["-algorithm", "ed25519"][..], &p256] {
        let auth = Auth::builder()
            .upstream_base_url(upstream.url())
            .upstream_secret([upstream.secret()])
            .build()
            .unwrap();
        let token = IdentityToken::new(key(algorithm), "https://app.example.com", "reports");
        let router: Router = auth.verdict().signed_token(token).router();
        let app = App::start(router).await;
        let visitor = upstream.cookie(&json!({ "sub": "1", "name": "Demo" }));
        let question = [("cookie", visitor.as_str()), ("x-original-uri", "/"), ("x-original-method", "GET")];
        let verdict = Browser::of(&app).get_with("/_auth/verdict", &question).await;
        let token = verdict.header("x-auth-token").to_owned();
        let check = |audience: &str| {
            let mut command = node("verify-identity.mjs");
            command.env("KEYS", app.url("/_auth/verdict/jwks.json")).env("TOKEN", &token);
            command.env("AUDIENCE", audience).env("ISSUER", "https://app.example.com");
            command
        };
        let (right, wrong) = (check("reports"), check("another"));
        let run = async |mut command: std::process::Command| {
            tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
        };
        let right = run(right).await;
        assert!(right.status.success(), "{}", String::from_utf8_lossy(&right.stderr));
        let claims: Value = serde_json::from_slice(&right.stdout).unwrap();
        assert_eq!((&claims["sub"], &claims["name"]), (&json!("1"), &json!("Demo")));
        assert!(!run(wrong).await.status.success());
    }
}
