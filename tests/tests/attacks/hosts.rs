//! Attack: a client chooses the host that the upstream puts into links.

use auth_proxy::options::SessionStrategy;
use auth_proxy_tests::{App, COOKIE_NAME};

use crate::support::{Upstream, app, auth, read};

/// Hosts that do not belong to this app.
const FOREIGN: [&str; 46] = [
    "192.168.1.66",
    "10.0.0.1",
    "172.16.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "0",
    "1.1.1.1",
    "evil.local",
    "evil",
    "zzz",
    "evil.internal",
    "evil.example",
    "evil.example:443",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[::]",
    "[::ffff:10.0.0.1]",
    "[fd00::1]",
    "[2001:db8::1]",
    "localhost.evil.com",
    "localhost.evil",
    "localhosts",
    "xlocalhost",
    "127.0.0.1.evil.com",
    "127.evil",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "127.1",
    "0x7f.1",
    "evil.example.",
    "evil.local.",
    "evil.local:80",
    "evil@localhost",
    "localhost@evil.example",
    "localhost:80@evil.example",
    "localhost/evil.example",
    "evil.example/localhost",
    "localhost, evil.example",
    "localhost evil.example",
    "evil.example#localhost",
    "evil.example?localhost",
    "localhost\\evil.example",
    "evil%2elocalhost",
    "localhost\tevil.example",
    "xn--evil-example.localhost.evil",
];

const TARGETS: [&str; 6] = [
    "/api/auth/signin",
    "/api/auth/providers",
    "/api/auth/session",
    "/api/auth/callback/github?code=1",
    "/api/auth",
    "/me",
];

/// The host in lower case, as in the text of a response that [`read`] returns.
fn lower_case(host: &str) -> String {
    host.trim().to_ascii_lowercase()
}

/// Requests that name this host in every form that a client can use.
fn requests(target: &str, host: &str) -> Vec<String> {
    let rest = format!("Connection: close\r\nCookie: {COOKIE_NAME}=aaaa..bbbb.cccc.dddd\r\n\r\n");
    let more = |name: &str| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{name}: {host}\r\n{rest}");
    let mut all = vec![
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{rest}"),
        format!("POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n{rest}"),
        format!("GET {target} HTTP/1.0\r\nHost: {host}\r\n{rest}"),
        format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nHost: {host}\r\n{rest}"),
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nHost: localhost\r\n{rest}"),
        format!("GET http://{host}{target} HTTP/1.1\r\nHost: localhost\r\n{rest}"),
        format!("GET http://{host}{target} HTTP/1.1\r\nHost: {host}\r\n{rest}"),
        format!("GET https://{host}{target} HTTP/1.0\r\n{rest}"),
        format!("GET http://localhost@{host}{target} HTTP/1.1\r\nHost: localhost\r\n{rest}"),
    ];
    all.extend(
        ["X-Original-Host", "X-Host", "X-Forwarded-Server", "Forwarded", "X-HTTP-Host-Override"].map(more),
    );
    all
}

/// Requests in which the client sends forwarding headers. If `own` is not empty, a trusted proxy appends an
/// `X-Forwarded-Host` with this value, which is the last one.
fn forwarding_requests(target: &str, host: &str, own: &str) -> Vec<String> {
    let rest = format!("Connection: close\r\nCookie: {COOKIE_NAME}=aaaa..bbbb.cccc.dddd\r\n\r\n");
    let proxies = if own.is_empty() { String::new() } else { format!("X-Forwarded-Host: {own}\r\n") };
    ["X-Forwarded-Host", "X_Forwarded_Host", "Forwarded"]
        .map(|name| {
            let value = if name == "Forwarded" { format!("host=\"{host}\"") } else { host.to_owned() };
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{name}: {value}\r\n{proxies}{rest}")
        })
        .to_vec()
}

/// Sends a request. Returns how the client's host reached the upstream or the response, if it did.
async fn leak(app: &App, upstream: &Upstream, request: &str, host: &str, own: &[String]) -> Option<String> {
    upstream.take_seen();
    let (_, answer) = read(&app.raw(request).await);
    for seen in upstream.take_seen() {
        let host = |name: &str| {
            seen.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase())
        };
        let is_own = |host: &String| own.contains(host);
        let forwarded = host("forwarded").unwrap_or_default();
        let names_own = !forwarded.contains("host=")
            || own.iter().any(|own| forwarded.contains(&format!("host=\"{own}\"")));
        if !host("host").as_ref().is_some_and(is_own)
            || !host("x-forwarded-host").as_ref().is_none_or(is_own)
            || !names_own
        {
            return Some(format!("the upstream received {:?} for {request:?}", seen.headers));
        }
    }
    let names_the_host = |line: &str| line.contains(&format!("//{}", lower_case(host)));
    answer
        .lines()
        .find(|line| names_the_host(line))
        .map(|line| format!("{line:?} is in the response to {request:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_chosen_host_reaches_neither_upstream_nor_response() {
    let (mut sent, mut leaks) = (0, Vec::new());
    for (proxies, own) in
        [(&[][..], ""), (&["10.9.9.9"][..], ""), (&["127.0.0.1"], "app.example.com"), (&["127.0.0.1"], "")]
    {
        let upstream = Upstream::new(COOKIE_NAME, SessionStrategy::Jwt);
        let server = upstream.start().await;
        let app = app(auth(&server, SessionStrategy::Jwt).trusted_proxies(proxies)).await;
        let known = [server.addr.to_string(), "localhost".to_owned(), "app.example.com".to_owned()];
        for host in FOREIGN {
            for target in TARGETS {
                let mut all = requests(target, host);
                if proxies == ["127.0.0.1"] && !own.is_empty() {
                    all = all
                        .iter()
                        .map(|request| {
                            request.replacen(
                                "\r\nConnection",
                                "\r\nX-Forwarded-Host: app.example.com\r\nConnection",
                                1,
                            )
                        })
                        .collect();
                }
                // A trusted proxy must set `X-Forwarded-Host` itself. If it does not, the client's header counts, as
                // the documentation says. That case is not tested here.
                if !own.is_empty() || proxies != ["127.0.0.1"] {
                    all.extend(forwarding_requests(target, host, own));
                }
                for request in all {
                    sent += 1;
                    leaks.extend(leak(&app, &upstream, &request, host, &known).await);
                }
            }
        }
        let (status, _) = app.raw_get("/api/auth/signin", "").await;
        assert_eq!((status, upstream.take_seen().len()), (200, 1));
    }
    println!("hosts: {} of {sent} requests passed their host to the upstream or a response", leaks.len());
    assert!(leaks.is_empty(), "{} of {sent}: {}", leaks.len(), leaks[..leaks.len().min(20)].join("\n"));
}

/// Without a `Host` the upstream would answer with its own address, so the request is rejected.
#[tokio::test]
async fn request_without_host_is_rejected_without_naming_the_upstream() {
    let upstream = Upstream::new(COOKIE_NAME, SessionStrategy::Jwt);
    let server = upstream.start().await;
    let (mut rejected, mut sent) = (0, 0);
    for proxies in [&[][..], &["127.0.0.1"]] {
        let app = app(auth(&server, SessionStrategy::Jwt).trusted_proxies(proxies)).await;
        for target in TARGETS.iter().filter(|target| target.starts_with("/api")) {
            for head in [
                "HTTP/1.0\r\n",
                "HTTP/1.0\r\nHost:\r\n",
                "HTTP/1.1\r\nHost:\r\n",
                "HTTP/1.1\r\nHost: \r\n",
                "HTTP/1.1\r\n",
            ] {
                let request = format!("GET {target} {head}Connection: close\r\n\r\n");
                let (status, answer) = read(&app.raw(&request).await);
                sent += 1;
                rejected += usize::from(matches!(status, 400 | 421));
                assert!(!answer.contains(&server.addr.to_string()), "{request:?}: {answer}");
            }
        }
    }
    println!("hosts: {rejected} of {sent} requests without a host were rejected");
    assert_eq!((rejected, upstream.take_seen().len()), (sent, 0));
}
