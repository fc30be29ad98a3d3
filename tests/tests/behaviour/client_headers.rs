//! Clients that send headers which only the proxy may set: configured headers, and headers with a client address.

use auth_proxy::auth_proxy;
use auth_proxy_tests::App;
use axum::Router;

use crate::support::mirror::mirror;

auth_proxy! {
    struct Tenants {
        upstream: {
            base_url: env("URL"),
            headers: { "x-tenant": env("TENANT", optional), "x-api-key": env("KEY", optional) },
        },
    }
}

/// A client cannot set a header of `upstream.headers`, whether its variable is set, empty or missing.
#[tokio::test]
async fn configured_headers_replace_those_of_the_client() {
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

/// Proxies pass on headers with an address, another path or another method that the client sent. So these are not
/// forwarded, whoever the peer is. A trusted proxy says the address in `X-Forwarded-For`.
#[tokio::test]
async fn headers_with_an_address_a_path_or_a_method_are_never_forwarded() {
    const ADDRESS_HEADERS: [&str; 6] = [
        "CF-Connecting-IP",
        "True-Client-IP",
        "Fastly-Client-IP",
        "X-Real-IP",
        "X-Client-IP",
        "Front-End-Https",
    ];
    const OVERRIDE_HEADERS: [&str; 4] =
        ["X-HTTP-Method-Override", "X-Middleware-Subrequest", "X-Original-URL", "X-Forwarded-Prefix"];
    let (mirror, seen) = mirror().await;
    let head: String =
        ADDRESS_HEADERS.iter().chain(&OVERRIDE_HEADERS).map(|name| format!("{name}: 6.6.6.6\r\n")).collect();
    for trusted in ["127.0.0.1", "10.0.0.7"] {
        let builder = Tenants::builder().upstream_base_url(mirror.url("")).trusted_proxies([trusted]);
        let auth = builder.build().unwrap();
        let app = App::start(auth.attach(Router::new()).with_state(auth.clone())).await;
        assert_eq!(app.raw_get("/api/auth/session", &head).await.0, 200);
        let headers = seen.lock().unwrap().pop().unwrap().2;
        for name in ADDRESS_HEADERS.iter().chain(&OVERRIDE_HEADERS) {
            assert!(!headers.contains_key(*name), "{name} {trusted}");
        }
    }
}

/// On a dual-stack socket, Linux reports an IPv4 peer as `::ffff:127.0.0.1`, so operators may configure that form.
#[tokio::test]
async fn trusted_proxies_accept_ipv4_mapped_addresses() {
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
