//! Headers of the configuration, and what a client can say in their place.

use auth_proxy::auth_proxy;
use auth_proxy_tests::App;
use axum::Router;

use crate::proxy::mirror;

auth_proxy! {
    struct Tenants {
        upstream: {
            base_url: env("URL"),
            headers: { "x-tenant": env("TENANT", optional), "x-api-key": env("KEY", optional) },
        },
    }
}

/// A header that is declared is the proxy's own, whether its variable is set, empty or not there.
#[tokio::test]
async fn declared_headers_are_never_the_clients() {
    let (mirror, seen) = mirror().await;
    let url = mirror.url("");
    for (vars, tenant) in [
        (vec![("URL", url.as_str())], None),
        (vec![("URL", &url), ("TENANT", "")], None),
        (vec![("URL", &url), ("TENANT", "mine")], Some("mine")),
    ] {
        let auth = Tenants::builder().vars(vars).build().unwrap();
        let app = App::start(auth.attach(Router::new()).with_state(auth.clone())).await;
        for name in ["X-Tenant", "x_tenant", "X_Tenant"] {
            let head = format!("{name}: theirs\r\nX-Api-Key: theirs\r\nX-Other: kept\r\n");
            assert_eq!(app.raw_get("/api/auth/session", &head).await.0, 200);
            let headers = seen.lock().unwrap().pop().unwrap().2;
            assert_eq!(headers.get("x-tenant").map(|value| value.to_str().unwrap()), tenant, "{name}");
            assert!(!headers.contains_key("x_tenant") && !headers.contains_key("x-api-key"), "{headers:?}");
            assert_eq!(headers["x-other"], "kept");
        }
    }
}

/// Who the client is, and over which scheme it came: a trusted proxy may say so in its own way, and nobody else.
#[tokio::test]
async fn clients_do_not_say_who_they_are() {
    const CLAIMS: [&str; 6] = [
        "CF-Connecting-IP",
        "True-Client-IP",
        "Fastly-Client-IP",
        "X-Real-IP",
        "X-Client-IP",
        "Front-End-Https",
    ];
    const NEVER: [&str; 4] =
        ["X-HTTP-Method-Override", "X-Middleware-Subrequest", "X-Original-URL", "X-Forwarded-Prefix"];
    let (mirror, seen) = mirror().await;
    let head: String = CLAIMS.iter().chain(&NEVER).map(|name| format!("{name}: 6.6.6.6\r\n")).collect();
    for trusted in ["127.0.0.1", "10.0.0.7"] {
        let builder = Tenants::builder().upstream_base_url(mirror.url("")).trusted_proxies([trusted]);
        let auth = builder.build().unwrap();
        let app = App::start(auth.attach(Router::new()).with_state(auth.clone())).await;
        assert_eq!(app.raw_get("/api/auth/session", &head).await.0, 200);
        let headers = seen.lock().unwrap().pop().unwrap().2;
        for name in CLAIMS {
            assert_eq!(headers.contains_key(name), trusted == "127.0.0.1", "{name} {trusted}");
        }
        assert!(NEVER.iter().all(|name| !headers.contains_key(*name)), "{headers:?}");
    }
}

/// Linux tells an IPv4 peer of a dual-stack socket as `::ffff:127.0.0.1`, and people write what they see.
#[tokio::test]
async fn a_trusted_proxy_may_be_written_as_a_mapped_address() {
    let (mirror, seen) = mirror().await;
    for trusted in ["::ffff:127.0.0.1", "::ffff:127.0.0.0/104"] {
        let builder = Tenants::builder().upstream_base_url(mirror.url("")).trusted_proxies([trusted]);
        let auth = builder.build().unwrap();
        let app = App::start(auth.attach(Router::new()).with_state(auth.clone())).await;
        assert_eq!(app.raw_get("/api/auth/session", "X-Forwarded-Proto: https\r\n").await.0, 200);
        let headers = seen.lock().unwrap().pop().unwrap().2;
        assert_eq!(headers["x-forwarded-proto"], "https", "{trusted}");
    }
}
