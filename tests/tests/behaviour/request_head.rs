//! The request head that the upstream receives: removed headers, forwarding headers, and the host.

use auth_proxy::options::Host;

use crate::proxy::{in_front_of, mirror};
use crate::support::{Auth, app_of};

#[tokio::test]
async fn forged_request_headers_are_removed_or_replaced() {
    let (mirror, seen) = mirror().await;
    let (app, _browser) = in_front_of(&mirror).await;
    let head = "Accept-Encoding: gzip\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: x\r\nX-Api-Key: forged\r\n\
        X_Api-Key: forged\r\n\
        X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: ftp\r\nForwarded: for=9.9.9.9\r\n\
        X-Real-Ip: 9.9.9.9\r\nCookie: a=1; b=2\r\nAuthorization: Bearer mine\r\nAccept-Language: de\r\n";
    assert_eq!(app.raw_get("/api/auth/session", head).await.0, 200);
    let seen = seen.lock().unwrap()[0].2.clone();
    let mut lines: Vec<_> =
        seen.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort_unstable();
    let host = app.addr;
    // The pseudonym in `Via` is random for each proxy.
    let via = seen["via"].to_str().unwrap();
    assert!(via.starts_with("1.1 auth-proxy-") && !via.contains(','), "{via}");
    assert_eq!(
        lines,
        [
            "accept-language: de".to_owned(),
            "authorization: Bearer mine".to_owned(),
            "cookie: a=1; b=2".to_owned(),
            format!("forwarded: for=127.0.0.1;host=\"{host}\";proto=http"),
            format!("host: {host}"),
            format!("via: {via}"),
            "x-api-key: k3y".to_owned(),
            "x-forwarded-for: 127.0.0.1".to_owned(),
            format!("x-forwarded-host: {host}"),
            "x-forwarded-proto: http".to_owned(),
        ]
    );
}

#[tokio::test]
async fn headers_named_by_connection_are_stripped() {
    let (mirror, seen) = mirror().await;
    let (app, _browser) = in_front_of(&mirror).await;
    let answer = app
        .raw("GET /api/auth/session HTTP/1.1\r\nHost: localhost\r\nConnection: close, X-Mine, x-api-key\r\nX-Mine: 1\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let seen = &seen.lock().unwrap()[0].2;
    assert!(!seen.contains_key("x-mine") && seen["x-api-key"] == "k3y", "{seen:?}");
    // The response loses the headers that its own `Connection` names.
    assert!(
        answer.contains("x-kept: 1") && !answer.contains("x-internal") && !answer.contains("keep-alive"),
        "{answer}"
    );
}

#[tokio::test]
async fn host_option_selects_the_upstream_host() {
    let (mirror, seen) = mirror().await;
    let url = mirror.url("");
    let own = mirror.addr.to_string();
    for (builder, host, forwarded, proto) in [
        (Auth::builder().hosts(["app.internal"]), "app.internal", "app.internal", "http"),
        (
            Auth::builder().hosts(["app.internal"]).upstream_host(Host::Upstream),
            own.as_str(),
            "app.internal",
            "http",
        ),
        (
            Auth::builder().hosts(["app.internal"]).upstream_host(Host::Literal("auth.test:81".into())),
            "auth.test:81",
            "app.internal",
            "http",
        ),
        (Auth::builder().public_url("https://public.test"), "public.test", "public.test", "https"),
    ] {
        let (app, _browser) = app_of(builder.upstream_base_url(url.clone())).await;
        let answer = app
            .raw("GET /api/auth/session HTTP/1.1\r\nHost: app.internal\r\nConnection: close\r\n\r\n")
            .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let seen = seen.lock().unwrap().pop().unwrap().2;
        assert_eq!(
            (&seen["host"], &seen["x-forwarded-host"]),
            (&host.parse().unwrap(), &forwarded.parse().unwrap())
        );
        assert_eq!(seen["x-forwarded-proto"], proto);
    }
}

/// The upstream puts its host into redirects, callback URLs and mails, so a client must not choose it.
#[tokio::test]
async fn unknown_host_is_rejected_with_421() {
    let (mirror, seen) = mirror().await;
    let builder = || Auth::builder().upstream_base_url(mirror.url(""));
    for (builder, host, status) in [
        (builder(), "evil.example", 421),
        (builder(), "203.0.113.5:3000", 421),
        // Browsers read each of these numbers as the address 8.8.8.8.
        (builder(), "134744072", 421),
        (builder(), "0x08080808", 421),
        (builder().upstream_host(Host::Upstream), "evil.example", 421),
        (builder().trusted_proxies(["10.0.0.0/8"]), "evil.example", 421),
        // Trusted proxies set `X-Forwarded-Host`. Without it the host is the `Host` that the client of the proxy chose.
        (builder().trusted_proxies(["127.0.0.1"]), "app.example.com", 421),
        (builder().hosts(["app.example.com"]), "app.example.com", 200),
        (builder().hosts(["app.example.com"]), "app.example.com:81", 421),
        (builder().hosts(["app.example.com"]), "evil.example", 421),
        (builder().public_url("http://app.example.com"), "evil.example", 200),
        (builder(), "localhost:3000", 200),
        (builder(), "127.8.8.8", 200),
        (builder(), "a.localhost:3000", 200),
        (builder(), "[::1]:80", 200),
        // In the network of a person who opens a mailed link, an internal name or address can be another machine.
        (builder(), "192.168.1.66", 421),
        (builder(), "app.internal", 421),
        (builder(), "evil.local", 421),
        (builder(), "evil", 421),
        (builder(), "[fe80::1]", 421),
    ] {
        let (app, _browser) = app_of(builder).await;
        let head = format!("Host: {host}\r\nConnection: close\r\n\r\n");
        let answer = app.raw(&format!("GET /api/auth/csrf HTTP/1.1\r\n{head}")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {answer}");
        let evil = |(_, _, headers): &(_, _, http::HeaderMap)| format!("{headers:?}").contains("evil");
        assert!(!answer.contains("evil") && !seen.lock().unwrap().iter().any(evil), "{host}");
        // Pages of the app are still served, and their session lookup does not send this host.
        let cookie = "Cookie: authjs.session-token=aaaa..bbbb.cccc.dddd\r\n";
        let answer = app.raw(&format!("GET /session/optional HTTP/1.1\r\n{cookie}{head}")).await;
        assert!(!answer.starts_with("HTTP/1.1 421"), "{host}: {answer}");
        assert!(!seen.lock().unwrap().iter().any(evil), "{host}");
    }
}

#[tokio::test]
async fn forwarded_headers_count_only_from_trusted_proxies() {
    let (mirror, seen) = mirror().await;
    // The client sent the first value of each header, and proxies appended the others. The proxy 192.0.2.7 is trusted.
    let head = "X-Forwarded-For: 6.6.6.6, 9.9.9.9\r\nX-Forwarded-For: 192.0.2.7\r\n\
        X-Forwarded-Host: evil.example, app.example.com\r\n\
        X-Forwarded-Proto: http, https\r\nForwarded: for=6.6.6.6\r\n";
    for (trusted, proto, host, addresses, forwarded) in [
        (
            "127.0.0.0/8",
            "https",
            "app.example.com".to_owned(),
            "9.9.9.9, 192.0.2.7, 127.0.0.1",
            "for=9.9.9.9, for=192.0.2.7, for=127.0.0.1;host=\"app.example.com\";proto=https".to_owned(),
        ),
        ("10.0.0.0/8", "http", String::new(), "127.0.0.1", String::new()),
    ] {
        let builder =
            Auth::builder().upstream_base_url(mirror.url("")).trusted_proxies([trusted, "192.0.2.7"]);
        let (app, _browser) = app_of(builder).await;
        assert_eq!(app.raw_get("/api/auth/session", head).await.0, 200);
        let own = app.addr.to_string();
        let host = if host.is_empty() { own.clone() } else { host };
        let forwarded =
            if forwarded.is_empty() { format!("for=127.0.0.1;host=\"{own}\";proto=http") } else { forwarded };
        let seen = seen.lock().unwrap().pop().unwrap().2;
        for (name, value) in [
            ("host", host.as_str()),
            ("x-forwarded-host", host.as_str()),
            ("x-forwarded-proto", proto),
            ("x-forwarded-for", addresses),
            ("forwarded", forwarded.as_str()),
        ] {
            assert_eq!(seen[name], value, "{trusted} {name}");
        }
    }
}

#[tokio::test]
async fn malformed_forwarded_headers_of_a_trusted_proxy_are_dropped() {
    let (mirror, seen) = mirror().await;
    let (app, _browser) =
        app_of(Auth::builder().upstream_base_url(mirror.url("")).trusted_proxies(["127.0.0.1"])).await;
    for (sent, received) in [
        ("8.8.8.8, <script>", "127.0.0.1"),
        ("<script>, 8.8.8.8", "8.8.8.8, 127.0.0.1"),
        ("[2001:db8::1]:1234", "2001:db8::1, 127.0.0.1"),
        ("8.8.8.8:1234", "8.8.8.8, 127.0.0.1"),
    ] {
        assert_eq!(app.raw_get("/api/auth/session", &format!("X-Forwarded-For: {sent}\r\n")).await.0, 200);
        assert_eq!(seen.lock().unwrap().pop().unwrap().2["x-forwarded-for"], received, "{sent}");
    }
    let many = format!("X-Forwarded-For: {}\r\n", vec!["127.0.0.1"; 40].join(", "));
    assert_eq!(app.raw_get("/api/auth/session", &many).await.0, 200);
    let addresses = seen.lock().unwrap().pop().unwrap().2["x-forwarded-for"].clone();
    assert_eq!(addresses.to_str().unwrap().split(", ").count(), 16);
    for head in [
        "X-Forwarded-Proto: ftp\r\n",
        "X-Forwarded-Proto: \r\n",
        "X-Forwarded-Proto: https://x\r\n",
        "X-Forwarded-Host: a b\r\n",
        "X-Forwarded-Host: evil.example/..\r\n",
        "X-Forwarded-Host: u@evil.example\r\n",
        "X-Forwarded-For: nobody\r\n",
        "X-Forwarded-For: 1.1.1.1, <script>\r\n",
    ] {
        assert_eq!(app.raw_get("/api/auth/session", head).await.0, 200, "{head}");
        let seen = seen.lock().unwrap().pop().unwrap().2;
        assert_eq!(seen["x-forwarded-proto"], "http", "{head}");
        assert_eq!(seen["x-forwarded-host"], app.addr.to_string(), "{head}");
        assert_eq!(seen["x-forwarded-for"], "127.0.0.1", "{head}");
    }
}
