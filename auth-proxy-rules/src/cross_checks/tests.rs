//! Tests of the rules between options.

use super::*;

fn draft(values: &[(OptionKey, &str)]) -> Draft {
    let mut draft = Draft::default();
    for (option, text) in values {
        draft.set(*option, text).unwrap();
    }
    draft
}

const BETTER_AUTH: (OptionKey, &str) = (OptionKey::Kind, "better_auth");
const GENERIC: (OptionKey, &str) = (OptionKey::Kind, "generic");
const BASE_URL: (OptionKey, &str) = (OptionKey::BaseUrl, "http://auth");
const JWKS: (OptionKey, &str) = (OptionKey::Token, "jwks");
const KEYS: (OptionKey, &str) = (OptionKey::JwksUrl, "https://auth.example.com/keys");
const AUDIENCE: (OptionKey, &str) = (OptionKey::Audience, "app");
const CACHED: (OptionKey, &str) = (OptionKey::AnswerSession, "cached");
const ISSUER: (OptionKey, &str) = (OptionKey::Issuer, "https://auth.example.com");

#[test]
fn published_keys_need_no_secret_and_generic_no_base_url() {
    for values in [
        &[JWKS, KEYS, AUDIENCE, ISSUER, BASE_URL][..],
        &[JWKS, KEYS, AUDIENCE, ISSUER, BASE_URL, (OptionKey::Source, "local")],
        &[GENERIC, KEYS, AUDIENCE, ISSUER],
        &[GENERIC, KEYS, (OptionKey::Audience, "any"), ISSUER, (OptionKey::SessionClaims, "role")],
        &[BETTER_AUTH, JWKS, AUDIENCE, ISSUER, BASE_URL],
    ] {
        assert_eq!(draft(values).check(), [], "{values:?}");
        assert!(draft(values).resolve().is_some(), "{values:?}");
    }
    let settings = draft(&[GENERIC, KEYS, AUDIENCE, ISSUER]).resolve().unwrap();
    assert_eq!(settings.base_url.origin.to_string(), "https://auth.example.com");
    assert_eq!((settings.source, settings.token), (Source::Local, TokenFormat::Jwks));
    assert_eq!(settings.unauthenticated, crate::Unauthenticated::Status);
    assert_eq!(settings.cookie_names, crate::CookieNames::None);
    for kind in [GENERIC, (OptionKey::Kind, "authjs")] {
        let mut with_secret = draft(&[kind, JWKS, KEYS, AUDIENCE, ISSUER]);
        if kind != GENERIC {
            with_secret.set(BASE_URL.0, BASE_URL.1).unwrap();
        }
        with_secret.add_secret("a shared secret").unwrap();
        let places: Vec<_> = with_secret.check().iter().map(|problem| problem.place).collect();
        assert_eq!(places, [Place::Option(OptionKey::Secret)]);
    }
}

#[test]
fn broken_rules_between_options_report_the_option() {
    let cases: &[(&[(OptionKey, &str)], Place)] = &[
        (&[(OptionKey::BaseUrl, "http://auth.example.com")], Place::Option(OptionKey::BaseUrl)),
        (
            &[(OptionKey::BaseUrl, "http://auth"), (OptionKey::CookieName, "__Secure-a")],
            Place::Option(OptionKey::CookieName),
        ),
        (
            &[
                (OptionKey::BaseUrl, "https://auth.example.com"),
                (OptionKey::PublicUrl, "http://app.example.com"),
                (OptionKey::CookieName, "__Host-a"),
                (OptionKey::CookiePrefix, "false"),
            ],
            Place::Option(OptionKey::CookieName),
        ),
        (
            &[
                (OptionKey::BaseUrl, "https://auth.example.com"),
                (OptionKey::PublicUrl, "https://app.example.org"),
                (OptionKey::CookieDomain, "example.com"),
            ],
            Place::Option(OptionKey::CookieDomain),
        ),
        (
            &[(OptionKey::BaseUrl, "http://auth"), (OptionKey::ConnectTimeout, "11s")],
            Place::Option(OptionKey::ConnectTimeout),
        ),
        (
            &[(OptionKey::BaseUrl, "http://auth"), (OptionKey::Source, "local")],
            Place::Option(OptionKey::Source),
        ),
        (
            &[
                (OptionKey::BaseUrl, "http://auth"),
                (OptionKey::Strategy, "database"),
                (OptionKey::Token, "hs256"),
            ],
            Place::Option(OptionKey::Token),
        ),
        (
            &[BETTER_AUTH, (OptionKey::BaseUrl, "http://auth"), (OptionKey::Token, "encrypted")],
            Place::Option(OptionKey::Token),
        ),
        (
            &[(OptionKey::Kind, "authjs"), (OptionKey::BaseUrl, "http://auth"), (OptionKey::Token, "jwe")],
            Place::Option(OptionKey::Token),
        ),
        (
            &[(OptionKey::BaseUrl, "http://auth"), (OptionKey::Token, "compact")],
            Place::Option(OptionKey::Token),
        ),
        (
            &[BETTER_AUTH, (OptionKey::BaseUrl, "http://auth"), (OptionKey::Strategy, "jwt")],
            Place::Option(OptionKey::Strategy),
        ),
        (
            &[BETTER_AUTH, (OptionKey::BaseUrl, "http://auth"), (OptionKey::Source, "local")],
            Place::Option(OptionKey::Source),
        ),
        (&[(OptionKey::Kind, "robo")], Place::Missing(OptionKey::BaseUrl)),
        (&[JWKS, AUDIENCE, ISSUER, BASE_URL], Place::Option(OptionKey::Token)),
        (&[JWKS, KEYS, ISSUER, BASE_URL], Place::Option(OptionKey::Token)),
        (&[JWKS, KEYS, AUDIENCE, BASE_URL], Place::Option(OptionKey::Token)),
        (&[JWKS, KEYS, AUDIENCE, BASE_URL, (OptionKey::Issuer, "any")], Place::Option(OptionKey::Issuer)),
        (
            &[JWKS, AUDIENCE, ISSUER, BASE_URL, (OptionKey::JwksUrl, "http://auth.example.com/keys")],
            Place::Option(OptionKey::JwksUrl),
        ),
        (&[GENERIC, AUDIENCE, ISSUER], Place::Option(OptionKey::Kind)),
        (&[GENERIC, KEYS, ISSUER], Place::Option(OptionKey::Kind)),
        (&[GENERIC, KEYS, AUDIENCE], Place::Option(OptionKey::Kind)),
        (&[GENERIC, KEYS, AUDIENCE, ISSUER, BASE_URL], Place::Option(OptionKey::BaseUrl)),
        (&[GENERIC, KEYS, AUDIENCE, ISSUER, (OptionKey::Token, "es256")], Place::Option(OptionKey::Token)),
        (
            &[GENERIC, KEYS, AUDIENCE, ISSUER, (OptionKey::Source, "upstream")],
            Place::Option(OptionKey::Source),
        ),
        (&[GENERIC, KEYS, AUDIENCE, ISSUER, (OptionKey::Cache, "30s")], Place::Option(OptionKey::Cache)),
        (
            &[(OptionKey::BaseUrl, "http://auth"), (OptionKey::Token, "hs256"), (OptionKey::Issuer, "any")],
            Place::Option(OptionKey::Token),
        ),
        (
            &[
                (OptionKey::BaseUrl, "http://auth"),
                (OptionKey::Hosts, "a"),
                (OptionKey::PublicUrl, "https://a"),
            ],
            Place::Option(OptionKey::Hosts),
        ),
        (
            &[(OptionKey::BaseUrl, "http://auth"), (OptionKey::StaleIfError, "5m")],
            Place::Option(OptionKey::StaleIfError),
        ),
        (&[BASE_URL, CACHED], Place::Option(OptionKey::AnswerSession)),
        (&[BASE_URL, CACHED, (OptionKey::Cache, "off")], Place::Option(OptionKey::AnswerSession)),
        // Without a secret, no cookie cache is read.
        (&[BASE_URL, CACHED, BETTER_AUTH], Place::Option(OptionKey::AnswerSession)),
        (
            &[
                BASE_URL,
                CACHED,
                (OptionKey::Cache, "30s"),
                (OptionKey::Strategy, "database"),
                (OptionKey::ExposeSessionToken, "true"),
            ],
            Place::Option(OptionKey::AnswerSession),
        ),
        (
            &[BASE_URL, CACHED, JWKS, KEYS, AUDIENCE, ISSUER, (OptionKey::Source, "local")],
            Place::Option(OptionKey::AnswerSession),
        ),
        (&[GENERIC, KEYS, AUDIENCE, ISSUER, CACHED], Place::Option(OptionKey::AnswerSession)),
        (
            &[(OptionKey::BaseUrl, "http://auth"), (OptionKey::SessionClaims, "a")],
            Place::Option(OptionKey::SessionClaims),
        ),
    ];
    for (values, place) in cases {
        let found = draft(values).check();
        assert_eq!(found.iter().map(|p| p.place).collect::<Vec<_>>(), [*place], "{values:?}");
    }
    let mut secret = draft(&[(OptionKey::BaseUrl, "http://auth"), (OptionKey::Strategy, "database")]);
    secret.set_later(OptionKey::Secret, true);
    assert_eq!(secret.check(), []);
    secret.set_later(OptionKey::Secret, false);
    assert_eq!(secret.check().len(), 1);
}

#[test]
fn this_app_may_answer_from_a_cache_or_a_token() {
    let local = [(OptionKey::Source, "local"), (OptionKey::Renew, "1h")];
    let decoding = [BASE_URL, CACHED, JWKS, KEYS, AUDIENCE, ISSUER];
    for values in [
        &[BASE_URL, CACHED, (OptionKey::Cache, "30s")][..],
        &[BASE_URL, CACHED, (OptionKey::Cache, "1h"), (OptionKey::Renew, "always")],
        &[BASE_URL, (OptionKey::AnswerSession, "upstream")],
        &[BASE_URL, CACHED, BETTER_AUTH, (OptionKey::Cache, "30s")],
        &[&decoding[..], &local].concat(),
    ] {
        assert_eq!(draft(values).check(), [], "{values:?}");
    }
    // The cookie cache of Better Auth is not shown to pages.
    let mut better_auth = draft(&[BASE_URL, CACHED, BETTER_AUTH]);
    better_auth.set_later(OptionKey::Secret, true);
    assert_eq!(better_auth.check().len(), 1);
    let mut later = draft(&[BASE_URL, CACHED]);
    later.set_later(OptionKey::Cache, false);
    assert_eq!(later.check(), [], "the variable decides");
}

#[test]
fn key_kind_must_match_the_token_format() {
    let public = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    let private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (token, key, good) in [
        ("encrypted", "a shared secret", true),
        ("encrypted", public, false),
        ("es256", public, true),
        ("es256", private, false),
        ("es256", "a shared secret", false),
        ("hs256", public, false),
    ] {
        let waived = [(OptionKey::Audience, "any"), (OptionKey::Issuer, "any")];
        let mut draft =
            draft(&[&[(OptionKey::BaseUrl, "http://auth"), (OptionKey::Token, token)], &waived[..]].concat());
        draft.add_secret(key).unwrap();
        assert_eq!(draft.check().is_empty(), good, "{token}");
    }
}

#[test]
fn base_url_that_ends_with_the_base_path_is_refused() {
    let url = "https://auth.example.com/tenant/api/auth/";
    for (values, fixed) in [
        (&[][..], Some("https://auth.example.com/tenant")),
        (&[(OptionKey::BasePath, "/login")], None),
        (&[(OptionKey::BasePath, "/auth")], Some("https://auth.example.com/tenant/api")),
        (
            &[(OptionKey::BasePath, "/login"), (OptionKey::UpstreamBasePath, "/api/auth")],
            Some("https://auth.example.com/tenant"),
        ),
        (&[(OptionKey::UpstreamBasePath, "/tenant/api/auth")], Some("https://auth.example.com")),
        // `/a` is no segment of the URL.
        (&[(OptionKey::BasePath, "/uth")], None),
    ] {
        let found = draft(&[&[(OptionKey::BaseUrl, url)], values].concat()).check();
        assert_eq!(found.len(), usize::from(fixed.is_some()), "{values:?}: {found:?}");
        for problem in found {
            assert_eq!(problem.fixed.as_deref(), fixed, "{values:?}");
            assert!(!problem.message.contains("example.com") && problem.quoted().contains("example.com"));
        }
    }
    let mut later = draft(&[(OptionKey::BaseUrl, url)]);
    later.set_later(OptionKey::UpstreamBasePath, false);
    assert_eq!(later.check(), []);
}

#[test]
fn client_js_needs_its_feature() {
    for (value, is_compiled_in, good) in [
        (Some("true"), false, false),
        (Some("true"), true, true),
        (Some("false"), false, true),
        (None, false, true),
    ] {
        let mut draft = Draft::default();
        value.map(|value| draft.set(OptionKey::ClientJs, value).unwrap());
        let mut problems = Problems(Vec::new());
        draft.check_client_js(is_compiled_in, &mut problems);
        assert_eq!(problems.0.is_empty(), good, "{value:?}");
    }
}

#[test]
fn store_needs_its_feature_and_something_to_store() {
    for (more, is_compiled_in, expected) in [
        (&[(OptionKey::Cache, "30s")][..], true, ""),
        (&[(OptionKey::Revocation, "store")], true, ""),
        (&[], true, "there is nothing to store"),
        (&[(OptionKey::Cache, "off")], true, "add `session: { cache: 30s }`"),
        (&[(OptionKey::Kind, "generic")], true, "makes no lookups, so add `revocation: store`"),
        (&[(OptionKey::Kind, "generic"), (OptionKey::Revocation, "store")], true, ""),
        (&[(OptionKey::Cache, "30s")], false, "the store is not compiled in"),
    ] {
        let mut draft = draft(more);
        draft.set(OptionKey::Store, "redis://localhost").unwrap();
        let mut problems = Problems(Vec::new());
        draft.check_store(is_compiled_in, &mut problems);
        let messages: Vec<_> = problems.0.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(messages.len(), usize::from(!expected.is_empty()), "{messages:?}");
        assert!(messages.iter().all(|message| message.contains(expected)), "{messages:?}");
    }
}

#[test]
fn back_channel_needs_the_list_the_keys_and_the_audience() {
    let on = (OptionKey::BackChannel, "true");
    let list = (OptionKey::Revocation, "store");
    let back_channel = Place::Option(OptionKey::BackChannel);
    for (values, places) in [
        (&[GENERIC, KEYS, AUDIENCE, ISSUER, list, on][..], &[][..]),
        (&[JWKS, KEYS, AUDIENCE, ISSUER, BASE_URL, list, on], &[]),
        (&[BETTER_AUTH, JWKS, AUDIENCE, ISSUER, BASE_URL, list, on], &[]),
        (&[BASE_URL, (OptionKey::BackChannel, "false")], &[]),
        (&[GENERIC, KEYS, AUDIENCE, ISSUER, on], &[back_channel]),
        (&[GENERIC, KEYS, AUDIENCE, ISSUER, (OptionKey::Revocation, "off"), on], &[back_channel]),
        (&[BASE_URL, list, on], &[back_channel]),
        (&[BASE_URL, on], &[back_channel, back_channel]),
        (
            &[GENERIC, KEYS, (OptionKey::Audience, "any"), ISSUER, list, on],
            &[Place::Option(OptionKey::Audience)],
        ),
        (
            &[GENERIC, KEYS, AUDIENCE, (OptionKey::Issuer, "any"), list, on],
            &[Place::Option(OptionKey::Issuer)],
        ),
        (&[GENERIC, KEYS, AUDIENCE, list, on], &[Place::Option(OptionKey::Kind)]),
        (&[GENERIC, KEYS, ISSUER, list, on], &[Place::Option(OptionKey::Kind)]),
        (&[GENERIC, AUDIENCE, ISSUER, list, on], &[Place::Option(OptionKey::Kind)]),
    ] {
        let found: Vec<_> = draft(values).check().iter().map(|problem| problem.place).collect();
        assert_eq!(found, places, "{values:?}");
    }
    // A variable may be right at start.
    let mut later = draft(&[BASE_URL]);
    later.set_later(OptionKey::BackChannel, false);
    assert_eq!(later.check(), []);
}
