//! Renewed session cookies go back through the proxy.

use auth_proxy::rules::role;
use auth_proxy::verdict::PathRules;

use super::{Question, Verdict, ada, app, builder_of, upstream};

async fn with_cookies(cookies: &'static [&'static str]) -> Verdict {
    let app = builder_of(upstream(ada(), cookies)).build().unwrap().verdict().router();
    Question::nginx("/").cookie("ada").ask(&app).await
}

fn lines<'v>(verdict: &'v Verdict, name: &str) -> Vec<&'v str> {
    verdict.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

fn numbered(verdict: &Verdict) -> Vec<&str> {
    let names = (1..=9).map(|number| format!("x-set-cookie-{number}"));
    names.filter_map(|name| verdict.headers.get(name)).map(|value| value.to_str().unwrap()).collect()
}

const ONE: &str = "authjs.session-token=new; Path=/; HttpOnly";
const CHUNKS: [&str; 5] = [
    "authjs.session-token.0=a; Path=/",
    "authjs.session-token.1=b; Path=/",
    "authjs.session-token.2=c; Path=/",
    "authjs.session-token.3=d; Path=/",
    "authjs.session-token.4=e; Path=/",
];

#[tokio::test]
async fn each_renewed_cookie_is_in_a_header_of_its_own_for_nginx_and_caddy() {
    let one = with_cookies(&[ONE, "other=1"]).await;
    assert_eq!((lines(&one, "set-cookie"), numbered(&one)), (vec![ONE], vec![ONE]));
    let chunks = with_cookies(CHUNKS.first_chunk::<4>().unwrap()).await;
    assert_eq!(numbered(&chunks), &CHUNKS[..4]);
    assert_eq!(lines(&chunks, "set-cookie"), &CHUNKS[..4]);
}

/// Some chunks of the new token with some of the old one are no token at all.
#[tokio::test]
async fn more_chunks_than_numbers_are_not_numbered() {
    let verdict = with_cookies(&CHUNKS).await;
    assert_eq!((verdict.status, numbered(&verdict).len()), (200, 0));
}

#[tokio::test]
async fn cookie_that_the_upstream_clears_is_handed_back_with_the_401() {
    let verdict = Question::nginx("/").cookie("refused").ask(&app()).await;
    assert_eq!((verdict.status, numbered(&verdict)), (401, vec!["authjs.session-token=; Max-Age=0"]));
    let verdict = Question::traefik("/").cookie("refused").page().ask(&app()).await;
    assert_eq!((verdict.status, lines(&verdict, "set-cookie").len(), numbered(&verdict).len()), (303, 1, 0));
}

/// A script of a page can read any header but `Set-Cookie`. Traefik and Caddy pass on all headers of a refusal.
#[tokio::test]
async fn answer_that_reaches_the_browser_has_no_numbered_cookies() {
    let app = builder_of(upstream(ada(), &[ONE])).build().unwrap().verdict();
    let rules = PathRules::new().require("/admin", role("nobody")).unwrap();
    let app = app.rules(rules).router();
    let allowed = Question::traefik("/").cookie("ada").ask(&app).await;
    assert_eq!((lines(&allowed, "set-cookie"), numbered(&allowed)), (vec![ONE], vec![ONE]));
    let refused = Question::traefik("/admin").cookie("ada").ask(&app).await;
    assert_eq!(refused.status, 403);
    assert_eq!((lines(&refused, "set-cookie"), numbered(&refused).len()), (vec![ONE], 0));
    let envoy = Question::envoy("GET", "/").cookie("ada").ask(&app).await;
    assert_eq!((lines(&envoy, "set-cookie"), numbered(&envoy).len()), (vec![ONE], 0));
}

#[tokio::test]
async fn outage_clears_no_cookie() {
    let verdict = Question::nginx("/").cookie("down").ask(&app()).await;
    assert_eq!((verdict.status, lines(&verdict, "set-cookie").len()), (502, 0));
}
