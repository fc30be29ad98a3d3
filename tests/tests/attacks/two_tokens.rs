//! Attack: a request has two tokens, so that the app might use the session of one account and the token of another.

use auth_proxy::options::{SessionSource, SessionStrategy};
use auth_proxy_tests::{COOKIE_NAME, SECURE_COOKIE_NAME};

use crate::support::accounts::{OTHER, OWN, PATHS, app, attack};
use crate::support::{SECRET, Upstream, auth, first, seal};

/// Every way to send two tokens in one request, as header lines.
fn arrangements(one: &str, two: &str, prefixed: [&str; 2]) -> Vec<String> {
    let chunks = |name: &str, token: &str| {
        let (first, rest) = token.split_at(token.len() / 2);
        format!("{name}.0={first}; {name}.1={rest}")
    };
    let whole = |name: &str, token: &str| format!("{name}={token}");
    let damaged = two.replacen('.', "..", 1);
    let quote = |token: &str| format!("{COOKIE_NAME}=\"{token}\"");
    let mut all = Vec::new();
    for (a, b) in [(one, two), (two, one)] {
        let cookies = [
            format!("{}; {}", whole(COOKIE_NAME, a), whole(COOKIE_NAME, b)),
            format!("{}; {}", whole(COOKIE_NAME, a), chunks(COOKIE_NAME, b)),
            format!("{}; {}", chunks(COOKIE_NAME, b), whole(COOKIE_NAME, a)),
            format!("{}; {}", chunks(COOKIE_NAME, a), chunks(COOKIE_NAME, b)),
            format!("{}; {COOKIE_NAME}.0={b}", whole(COOKIE_NAME, a)),
            format!("{COOKIE_NAME}.0={b}; {}", whole(COOKIE_NAME, a)),
            format!("{COOKIE_NAME}.0={a}; {COOKIE_NAME}.0={b}"),
            format!("{COOKIE_NAME}.0={a}; {COOKIE_NAME}.1={b}"),
            format!("{COOKIE_NAME}.1={a}; {}", whole(COOKIE_NAME, b)),
            format!("{COOKIE_NAME}=; {}; {}", whole(COOKIE_NAME, a), chunks(COOKIE_NAME, b)),
            format!("{}; {}", whole(COOKIE_NAME, &damaged), whole(COOKIE_NAME, a)),
            format!("{}; {}", whole(COOKIE_NAME, &damaged), chunks(COOKIE_NAME, a)),
            format!("{}; {}", quote(a), whole(COOKIE_NAME, b)),
            format!("{}\r\nCookie: {}", whole(COOKIE_NAME, a), whole(COOKIE_NAME, b)),
            format!("{}\r\nCookie: {}", chunks(COOKIE_NAME, a), whole(COOKIE_NAME, b)),
        ];
        for cookie in cookies {
            all.push(format!("Cookie: {cookie}\r\n"));
            all.push(format!("Cookie: {cookie}\r\nAuthorization: Bearer {b}\r\n"));
        }
        all.push(format!("Cookie: {}\r\nAuthorization: Bearer {b}\r\n", whole(COOKIE_NAME, a)));
        all.push(format!("Authorization: Bearer {a}\r\nAuthorization: Bearer {b}\r\n"));
        all.push(format!("Authorization: Bearer {b}\r\nCookie: {COOKIE_NAME}=x\r\n"));
        // Auth.js reads every cookie whose name starts with the cookie name.
        for odd in [".1", ".01", ".x", "x", "-2"] {
            all.push(format!("Cookie: {COOKIE_NAME}{odd}={a}\r\nAuthorization: Bearer {b}\r\n"));
            all.push(format!("Cookie: {COOKIE_NAME}{odd}={a}; {COOKIE_NAME}={b}\r\n"));
        }
        // Two cookie names, since no `kind` fixes one. Each token is sealed for its own name.
        for (secure, plain) in [(prefixed[0], b), (prefixed[1], a), (a, b)] {
            all.push(format!(
                "Cookie: {}; {}\r\n",
                whole(SECURE_COOKIE_NAME, secure),
                whole(COOKIE_NAME, plain)
            ));
            all.push(format!(
                "Cookie: {}; {}\r\n",
                whole(COOKIE_NAME, plain),
                whole(SECURE_COOKIE_NAME, secure)
            ));
            all.push(format!(
                "Cookie: {}; {}\r\n",
                chunks(SECURE_COOKIE_NAME, secure),
                whole(COOKIE_NAME, plain)
            ));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tokens_never_mix_accounts() {
    let (mut requests, mut accounts, mut mixed) = (0, 0, Vec::new());
    for (strategy, secret, source, name) in [
        (SessionStrategy::Jwt, false, SessionSource::Upstream, COOKIE_NAME),
        (SessionStrategy::Jwt, true, SessionSource::Upstream, COOKIE_NAME),
        (SessionStrategy::Jwt, true, SessionSource::Local, COOKIE_NAME),
        (SessionStrategy::Jwt, true, SessionSource::Upstream, SECURE_COOKIE_NAME),
        (SessionStrategy::Database, false, SessionSource::Upstream, COOKIE_NAME),
    ] {
        for revoked in [false, true] {
            for proxied in [false, true] {
                let upstream = Upstream::new(name, strategy);
                let server = upstream.start().await;
                let mut builder = auth(&server, strategy).session_source(source);
                if secret {
                    builder = builder.upstream_secret([SECRET]);
                }
                if proxied {
                    builder = builder.trusted_proxies(["127.0.0.1"]);
                }
                let app = app(builder).await;
                let (own, other) = (upstream.issue(OWN), upstream.issue(OTHER));
                let prefixed = match strategy {
                    SessionStrategy::Jwt => [seal(OWN, SECURE_COOKIE_NAME), seal(OTHER, SECURE_COOKIE_NAME)],
                    _ => [upstream.issue(OWN), upstream.issue(OTHER)],
                };
                upstream.accept(&prefixed[0], OWN);
                upstream.accept(&prefixed[1], OTHER);
                if revoked {
                    upstream.end(&other);
                    upstream.end(&prefixed[1]);
                }
                let lines = arrangements(&own, &other, [&prefixed[0], &prefixed[1]]);
                let scheme =
                    if name == SECURE_COOKIE_NAME && proxied { "X-Forwarded-Proto: https\r\n" } else { "" };
                let (named, wrong) = attack(
                    &app,
                    &lines,
                    &PATHS,
                    &[own, prefixed[0].clone()],
                    &[other, prefixed[1].clone()],
                    scheme,
                )
                .await;
                requests += lines.len() * PATHS.len();
                accounts += named;
                let setting = format!(
                    "{strategy:?}, secret {secret}, {source:?}, {name}, revoked {revoked}, trusted {proxied}"
                );
                mixed.extend(wrong.into_iter().map(|wrong| format!("{setting}: {wrong}")));
            }
        }
    }
    println!(
        "two tokens: {} of {requests} requests mixed accounts; accounts were named {accounts} times",
        mixed.len()
    );
    assert!(mixed.is_empty(), "{}", first(&mixed));
    assert!(accounts > 1000, "too few requests were accepted: {accounts}");
}
