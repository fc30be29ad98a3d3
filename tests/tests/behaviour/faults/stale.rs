//! `stale_if_error`: which expired cached sessions are served during an outage, and for how long.

use std::time::Duration;

use auth_proxy::options::{Builder, SessionStrategy};
use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::{App, Browser, loopback_client};

use super::caller::{Caller, Outcome, Visitor};
use super::family::Family;
use crate::support::{Auth, app_of, routes, users};

const HOUR: Duration = Duration::from_secs(3600);
const CACHE_TIME: Duration = Duration::from_millis(100);

/// Faults, and whether each is an outage. An error status, an invalid session and an ambiguous session are responses of
/// the upstream, which may depend on the token. For these no stale session is served.
const FAULTS: [(Fault, bool); 11] = [
    (Fault::Refused, true),
    (Fault::ResetBeforeHead, true),
    (Fault::HangBeforeHead, true),
    (Fault::HangWithinBody, true),
    (Fault::TruncatedBody, true),
    (Fault::Garbage, true),
    (Fault::Overloaded, true),
    (Fault::RateLimited, false),
    (Fault::InternalError, false),
    (Fault::JsonString, false),
    (Fault::Undecided, false),
];

fn builder(family: Family, upstream: &FakeUpstream, stale: Duration) -> Builder<Auth> {
    let builder = family.app(upstream).upstream_timeout(Duration::from_secs(3));
    builder.session_cache(CACHE_TIME).session_stale_if_error(stale)
}

/// Waits half as long again as this time, so that an entry with this lifetime has surely expired.
async fn wait_past(time: Duration) {
    tokio::time::sleep(time + time / 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outages_serve_stale_sessions_only_where_configured() {
    check_faults(Family::Authjs, FAULTS.to_vec()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn better_auth_outages_serve_stale_sessions_only_where_configured() {
    let mut faults = FAULTS.to_vec();
    faults.retain(|(fault, _)| Family::BetterAuth.has(*fault));
    // 500, as `InternalError`.
    faults.push((Fault::DatabaseDown, false));
    check_faults(Family::BetterAuth, faults).await;
}

async fn check_faults(family: Family, faults: Vec<(Fault, bool)>) {
    let mut tasks = Vec::new();
    for stale in [HOUR, Duration::ZERO] {
        let check = |(fault, is_outage)| tokio::spawn(check_fault(family, stale, fault, is_outage));
        tasks.extend(faults.iter().copied().map(check));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

async fn check_fault(family: Family, stale: Duration, fault: Fault, is_outage: bool) {
    let upstream = family.upstream().start().await.unwrap();
    for caller in [Caller::Required, Caller::Optional, Caller::Guard, Caller::Page] {
        let app = App::start(routes(&builder(family, &upstream, stale).build().unwrap())).await;
        let visitor = Visitor::of(family, &upstream, caller, app).await;
        let refused = family.refused_cookie(&upstream);
        assert_eq!(visitor.send_request().await.outcome, Outcome::Present);
        assert!(matches!(visitor.send_with_session(&refused).await.outcome, Outcome::SignedOut(_)));
        wait_past(CACHE_TIME).await;

        upstream.set_fault(Some(fault)).await.unwrap();
        let seen = visitor.send_request().await;
        if stale == HOUR && is_outage {
            assert_eq!(seen.outcome, Outcome::Present, "{fault:?} {caller:?}");
        } else {
            assert!(matches!(seen.outcome, Outcome::Error(_)), "{fault:?} {caller:?}: {seen:?}");
        }
        assert!(seen.headers.get("set-cookie").is_none(), "{fault:?} {caller:?}: {seen:?}");
        // There is no stale session for a refused token, or for a token without an earlier lookup.
        for session in [refused, family.cookie(&upstream)] {
            let seen = visitor.send_with_session(&session).await;
            assert!(matches!(seen.outcome, Outcome::Error(_)), "{fault:?} {caller:?}: {seen:?}");
        }

        upstream.set_fault(None).await.unwrap();
        let lookups = upstream.lookups();
        assert_eq!(visitor.send_request().await.outcome, Outcome::Present, "{fault:?} {caller:?}");
        if stale == HOUR {
            assert_eq!(
                upstream.lookups(),
                lookups + 1,
                "{fault:?} {caller:?}: the upstream was not asked again after the fault"
            );
        }
    }
}

#[tokio::test]
async fn stale_session_expires_after_stale_if_error() {
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let app = App::start(routes(&builder(Family::Authjs, &upstream, 4 * CACHE_TIME).build().unwrap())).await;
    let visitor = Visitor::of(Family::Authjs, &upstream, Caller::Required, app).await;
    assert_eq!(visitor.send_request().await.outcome, Outcome::Present);
    upstream.set_fault(Some(Fault::Refused)).await.unwrap();
    wait_past(5 * CACHE_TIME).await;
    assert_eq!(visitor.send_request().await.outcome, Outcome::Error("upstream_unreachable".to_owned()));
}

/// The visitor signed out at another app, and the upstream refused the token before the outage. The outage must not
/// bring the session back.
#[tokio::test]
async fn refused_token_is_never_served_stale() {
    for (fault, _) in FAULTS {
        let upstream = users(FakeUpstream::builder()).strategy(SessionStrategy::Database);
        let upstream = upstream.start().await.unwrap();
        let (_app, browser) = app_of(
            builder(Family::Authjs, &upstream, HOUR).upstream_session_strategy(SessionStrategy::Database),
        )
        .await;
        let token = sign_in(&browser).await;
        let cookie = format!("authjs.session-token={token}");
        let get = async |path: &str| {
            let answer = browser.get_with(path, &[("cookie", cookie.as_str())]).await;
            (answer.status, answer.body)
        };
        assert_eq!(get("/session").await.0, 200);
        sign_out(&upstream, &cookie).await;
        wait_past(CACHE_TIME).await;
        assert_eq!(get("/session").await.0, 401);

        upstream.set_fault(Some(fault)).await.unwrap();
        // While the refusal is cached, and after the cached refusal has expired.
        for wait in [Duration::ZERO, CACHE_TIME] {
            wait_past(wait).await;
            for path in ["/session", "/protected"] {
                let (status, body) = get(path).await;
                assert!(matches!(status, 401 | 502..=504), "{fault:?} {path}: {status} {body}");
            }
            let (status, body) = get("/session/optional").await;
            assert!(body == "null" || status >= 502, "{fault:?}: {status} {body}");
        }
        assert_ne!(get("/session").await.0, 401, "{fault:?}: 401 after the cached refusal expired");
    }
}

/// Signs in and returns the session token.
async fn sign_in(browser: &Browser) -> String {
    let answer = browser.sign_in("demo", "demo").await;
    // Robo sets two session cookies; browsers keep the last one.
    let cookies = answer.cookies().into_iter().rev();
    let mut tokens = cookies.filter_map(|line| line.strip_prefix("authjs.session-token="));
    tokens.next().unwrap().split(';').next().unwrap().to_owned()
}

/// Signs out directly at the upstream, without the proxy.
async fn sign_out(upstream: &FakeUpstream, cookie: &str) {
    let csrf = Browser::at(upstream.url()).get("/api/auth/csrf").await;
    let own: Vec<_> = csrf.cookies().into_iter().filter_map(|line| line.split(';').next()).collect();
    let form = [("csrfToken", csrf.json()["csrfToken"].as_str().unwrap().to_owned())];
    let request = loopback_client().post(format!("{}/api/auth/signout", upstream.url())).form(&form);
    let answer = request.header("cookie", format!("{}; {cookie}", own.join("; "))).send().await.unwrap();
    let cleared = answer.headers().get("set-cookie").unwrap().to_str().unwrap();
    assert!(cleared.starts_with("authjs.session-token=; Max-Age=0"), "{cleared}");
}
