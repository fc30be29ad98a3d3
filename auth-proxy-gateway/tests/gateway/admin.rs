//! `admin_listen`, and the log.

use auth_proxy_tests::Answer;

use crate::support::{Running, app, authjs, config};

async fn get(url: String) -> Answer {
    Answer::of(reqwest::Client::new().get(url).send().await.unwrap()).await
}

#[tokio::test]
async fn metrics_and_health_are_on_the_admin_address_only() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "admin_listen = \"127.0.0.1:0\"", ""));
    let browser = gateway.signed_in("demo").await;
    for _ in 0..3 {
        assert_eq!(browser.get("/me").await.status, 200);
    }
    assert_eq!(gateway.browser().get("/me").await.status, 401);
    let admin = gateway.admin.unwrap();
    let metrics = get(format!("http://{admin}/metrics")).await;
    assert_eq!(metrics.header("content-type"), "text/plain; version=0.0.4");
    for line in [
        "auth_proxy_guard_decisions_total{outcome=\"present\",code=\"none\"} 3",
        "auth_proxy_guard_decisions_total{outcome=\"absent\",code=\"session_absent\"} 1",
    ] {
        assert!(metrics.body.lines().any(|found| found == line), "{line}: {}", metrics.body);
    }
    let health = get(format!("http://{admin}/health")).await;
    assert_eq!(
        (health.status, &health.json()["ready"], &health.json()["degraded"]),
        (200, &true.into(), &serde_json::json!([]))
    );
    assert_eq!(get(format!("http://{admin}/health/live")).await.body, "alive\n");
    assert_eq!(get(format!("http://{admin}/me")).await.status, 404);
    // For visitors these are paths of the app.
    for path in ["/metrics", "/health"] {
        assert_eq!(gateway.browser().get(path).await.code(), "session_absent");
        assert_eq!(browser.get(path).await.json()["url"], path);
    }
}

#[tokio::test]
async fn log_has_requests_without_query_and_without_paths_of_sign_in() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", "[log]\nformat = \"json\"\nlevel = \"trace\"\n"));
    let browser = gateway.signed_in("demo").await;
    browser.get("/me?token=query-secret").await;
    browser.get("/api/auth/reset-password/path-secret?token=query-secret").await;
    browser.get("/api/auth/callback/github?code=query-secret&state=x").await;
    gateway.logs("/api/auth/..").await;
    let log = gateway.log();
    // The sign-in routes are served below the path of the login server too.
    let other = config(&auth, &app, "base_path = \"/login\"", "");
    let other = Running::start(&other.replace("kind =", "base_path = \"/api/auth\"\nkind ="));
    other.browser().get("/login/reset-password/path-secret").await;
    other.browser().get("/api/auth/reset-password/path-secret").await;
    other.logs("/api/auth/..").await;
    other.logs("/login/..").await;
    assert!(!other.log().contains("path-secret"), "{}", other.log());
    assert!(!log.contains("query-secret") && !log.contains("path-secret"), "{log}");
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |path: &str| lines.iter().filter(|line| line["fields"]["path"] == path).count();
    assert_eq!(of("/me"), 1);
    assert!(of("/api/auth/..") >= 4);
    // Nothing of the cookies is logged at any level.
    assert!(!log.contains("authjs.session-token=") && !log.contains("eyJ"), "a token is in the log");
}
