//! Tests of the names of the session cookie.

use auth_proxy_rules::{Draft, OptionKey};

use super::*;

fn names(values: &[(OptionKey, &str)]) -> SessionNames {
    let mut draft = Draft::default();
    for (option, text) in values.iter().chain(&[(OptionKey::BaseUrl, "http://auth.internal")]) {
        draft.set(*option, text).unwrap();
    }
    SessionNames::new(&draft.resolve().unwrap())
}

fn in_play(names: &SessionNames, https: Option<bool>) -> Vec<&str> {
    names.in_play(https).iter().map(|name| name.browser.as_str()).collect()
}

fn set(names: &SessionNames, cookie: &'static str) {
    learn(names, cookie, false);
}

fn learn(names: &SessionNames, cookie: &'static str, https: bool) {
    names.learn(&[(SET_COOKIE, http::HeaderValue::from_static(cookie))].into_iter().collect(), https);
}

const SECURE_NAME: &str = "__Secure-authjs.session-token";
const PLAIN_NAME: &str = "authjs.session-token";

#[test]
fn both_cookie_names_count_until_the_prefixed_one_was_seen() {
    let names = names(&[]);
    assert_eq!(in_play(&names, None), [SECURE_NAME, PLAIN_NAME]);
    set(&names, "__Secure-authjs.session-token=; Max-Age=0");
    set(&names, "__Secure-authjs.callback-url=x");
    assert_eq!(in_play(&names, None), [SECURE_NAME, PLAIN_NAME]);
    set(&names, "authjs.session-token=x; Path=/");
    assert_eq!(in_play(&names, None), [PLAIN_NAME, SECURE_NAME]);
    set(&names, "__Secure-authjs.session-token.0=x; Path=/");
    assert_eq!(in_play(&names, None), [SECURE_NAME]);
    set(&names, "authjs.session-token=x; Path=/");
    assert_eq!(in_play(&names, None), [SECURE_NAME]);
    // Over http, as a trusted proxy reports, only the name without prefix is possible.
    assert_eq!(in_play(&names, Some(false)), [PLAIN_NAME]);
}

#[test]
fn cookie_name_is_foreign_only_if_the_upstream_uses_one_name() {
    let one = names(&[]);
    assert!(!one.is_foreign(0) && !one.is_foreign(1));
    set(&one, "__Secure-authjs.session-token=x; Path=/");
    assert!(!one.is_foreign(0) && one.is_foreign(1));

    let by_scheme = names(&[(OptionKey::TrustedProxies, "10.0.0.0/8")]);
    for cookie in ["authjs.session-token=x; Path=/", "__Secure-authjs.session-token=x; Path=/"] {
        set(&by_scheme, cookie);
        assert!(!by_scheme.is_foreign(0) && !by_scheme.is_foreign(1), "{cookie}");
    }
}

#[test]
fn name_seen_over_http_does_not_decide_over_https() {
    let names = names(&[(OptionKey::TrustedProxies, "10.0.0.0/8")]);
    learn(&names, "authjs.session-token=x; Path=/", false);
    assert_eq!(in_play(&names, Some(true)), [SECURE_NAME, PLAIN_NAME]);
    // Robo uses the name without prefix over https too.
    learn(&names, "authjs.session-token=x; Path=/", true);
    assert_eq!(in_play(&names, Some(true)), [PLAIN_NAME, SECURE_NAME]);
    learn(&names, "__Secure-authjs.session-token=x; Path=/", true);
    assert_eq!(in_play(&names, Some(true)), [SECURE_NAME]);
    assert_eq!(in_play(&names, Some(false)), [PLAIN_NAME]);
}

#[test]
fn kind_and_scheme_narrow_the_cookie_names() {
    let proxies = (OptionKey::TrustedProxies, "10.0.0.0/8");
    assert_eq!(in_play(&names(&[(OptionKey::Kind, "robo")]), Some(true)), [PLAIN_NAME]);
    assert_eq!(in_play(&names(&[(OptionKey::Kind, "authjs")]), None), [PLAIN_NAME]);
    let by_scheme = names(&[(OptionKey::Kind, "authjs"), proxies]);
    assert_eq!(in_play(&by_scheme, Some(true)), [SECURE_NAME]);
    assert_eq!(in_play(&by_scheme, Some(false)), [PLAIN_NAME]);
    // The scheme is not known, so both names count.
    assert_eq!(in_play(&by_scheme, None), [SECURE_NAME, PLAIN_NAME]);
    assert!(
        by_scheme.in_play(None).is_scheme_unknown() && !by_scheme.in_play(Some(true)).is_scheme_unknown()
    );
    assert!(!names(&[]).in_play(None).is_scheme_unknown());
    // Without `kind`, the upstream may be Robo, which uses no prefix over https either.
    assert_eq!(in_play(&names(&[proxies]), Some(true)), [SECURE_NAME, PLAIN_NAME]);
}

#[test]
fn cookies_beside_the_session_cookie_belong_to_its_family() {
    let names = names(&[(OptionKey::Kind, "better_auth")]);
    for (cookie, own, family) in [
        ("better-auth.session_token=x; Path=/", Some(SetCookieKind::Sets), Some(SetCookieKind::Sets)),
        ("better-auth.session_data=; Max-Age=0", None, Some(SetCookieKind::Clears)),
        ("__Secure-better-auth.session_data.1=x; Path=/", None, Some(SetCookieKind::Sets)),
        ("better-auth.session_token_multi-abc=x; Path=/", None, None),
        ("better-auth.state=x; Path=/", None, None),
    ] {
        assert_eq!(names.set_cookie_kind(cookie.as_bytes()), own, "{cookie}");
        assert_eq!(names.family_cookie_kind(cookie.as_bytes()), family, "{cookie}");
    }
}

#[test]
fn browser_over_http_gets_a_cookie_name_without_security_prefix() {
    let names = names(&[(OptionKey::PublicUrl, "http://app.internal")]);
    assert_eq!(in_play(&names, None), ["_Secure-authjs.session-token", PLAIN_NAME]);
    assert_eq!(names.all()[0].upstream, SECURE_NAME);
}
