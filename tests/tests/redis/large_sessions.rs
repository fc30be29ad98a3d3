//! Sessions that are too large for the store.

use std::time::Duration;

use auth_proxy::auth_proxy;
use auth_proxy::store::{Redis, RedisOptions};
use auth_proxy_tests::redis::Server;
use auth_proxy_tests::{COOKIE_NAME, LogCapture};
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;

auth_proxy! {
    struct Auth { upstream: { base_url: "http://auth" } }
}

/// A visitor with a picture in the session is no failure of the store, and fills no log.
#[tokio::test]
async fn large_session_is_not_logged_as_a_failure_of_the_store() {
    let redis = Server::start();
    let logs = LogCapture::start();
    let store = Redis::new(RedisOptions::new(redis.url()).grace(Duration::ZERO)).unwrap();
    let large = format!(r#"{{"user":{{"name":"ada","image":"{}"}}}}"#, "x".repeat(100_000));
    let small = r#"{"user":{"name":"bob"}}"#;
    let answer = move |headers: HeaderMap| async move {
        if headers["cookie"].to_str().unwrap().contains("ada") { large.clone() } else { small.to_owned() }
    };
    let auth = Auth::builder()
        .upstream_session_strategy(auth_proxy::options::SessionStrategy::Database)
        .upstream_fetch(Router::new().fallback(get(answer)))
        .session_cache(Duration::from_millis(10))
        .session_store(store)
        .build()
        .unwrap();
    let ask = async |user: &str| {
        let cookie = format!("{COOKIE_NAME}={user}");
        let headers = HeaderMap::from_iter([("cookie".parse().unwrap(), cookie.parse().unwrap())]);
        auth.session(&headers).await.unwrap().unwrap().user.name.clone().unwrap()
    };
    // The first request connects.
    ask("bob").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ask("bob").await;
    let before = logs.times("session store failed");
    for _ in 0..5 {
        assert_eq!(ask("ada").await, "ada");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(logs.times("session store failed"), before, "{}", logs.text());
}
