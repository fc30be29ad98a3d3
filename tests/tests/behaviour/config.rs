//! Configuration by the macro, by environment variables and by the builder: validation and error messages.

use auth_proxy::auth_proxy;

auth_proxy! {
    struct Everything {
        public_url: env("PUBLIC_URL", optional),
        hosts: env("HOSTS", optional),
        unauthenticated: env("UNAUTHENTICATED", default = "auto"),
        upstream: {
            kind: env("KIND", default = "robo"),
            base_url: env("UPSTREAM"),
            headers: { "x-api-key": env("KEY"), "x-tenant": "frontend" },
            secret: [env("SECRET"), env("SECRET_OLD", optional)],
            session_strategy: env("STRATEGY", default = "jwt"),
            token: env("TOKEN", default = "encrypted"),
            audience: env("AUDIENCE", optional),
            issuer: env("ISSUER", optional),
            public_origins: env("PUBLIC_ORIGINS", optional),
            timeout: env("TIMEOUT", default = "10s"),
            body_limit: env("BODY_LIMIT", default = "1MiB"),
            host: env("HOST_POLICY", default = "auto"),
        },
        session: {
            source: env("SOURCE", default = "upstream"),
            renew: env("RENEW", default = "always"),
            expose_session_token: env("EXPOSE", default = "false"),
        },
    }
}

const SECRET: &str = "hunter2-hunter2-hunter2-hunter2-hunter2";
const VALID_VARIABLES: [(&str, &str); 3] =
    [("UPSTREAM", "http://auth.internal"), ("KEY", "k3y"), ("SECRET", SECRET)];

fn build_with(variables: &[(&str, &str)]) -> Result<Everything, auth_proxy::ConfigError> {
    let vars = VALID_VARIABLES
        .iter()
        .filter(|(name, _)| variables.iter().all(|(other, _)| other != name))
        .chain(variables);
    Everything::builder().vars(vars.copied()).build()
}

#[test]
fn config_error_lists_all_problems_without_values() {
    let error = Everything::builder()
        .vars([
            ("KEY", "hunter2\n"),
            ("TIMEOUT", "hunter2"),
            ("STRATEGY", "hunter2"),
            ("PUBLIC_URL", "hunter2"),
        ])
        .build()
        .unwrap_err();
    let text = error.to_string();
    assert_eq!(
        text,
        "the configuration of `Everything` has 6 problems:\n  \
         PUBLIC_URL (public_url): expected an absolute URL such as `https://auth.example.com`: the scheme is missing\n  \
         UPSTREAM (upstream.base_url): not set\n  \
         KEY (upstream.headers[\"x-api-key\"]): a header value has no white space at its ends\n  \
         SECRET (upstream.secret): not set\n  \
         STRATEGY (upstream.session_strategy): expected one of `jwt`, `database`\n  \
         TIMEOUT (upstream.timeout): expected a duration such as `500ms`, `5s` or `2m`"
    );
    assert!(!text.contains("hunter2") && !format!("{error:?}").contains("hunter2"));
}

#[test]
fn rules_between_options_apply_to_environment_variables() {
    for (vars, variable, message) in [
        (&[("UPSTREAM", "http://auth.example.com")][..], Some("UPSTREAM"), "plain http to a public host"),
        (&[("STRATEGY", "database")], Some("SECRET"), "a database session has no token to decode"),
        (
            &[("STRATEGY", "database"), ("SOURCE", "local")],
            Some("SOURCE"),
            "can only be read by the upstream",
        ),
        (&[("SECRET", " ")], Some("SECRET"), "a secret is not empty"),
        (
            &[("KIND", "authjs2")],
            Some("KIND"),
            "expected one of `robo`, `authjs`, `next_auth_v4`, `better_auth`, `generic` (nearest: `authjs`)",
        ),
        (&[("KIND", "better_auth"), ("TOKEN", "encrypted")], Some("TOKEN"), "is no format of Better Auth"),
        (&[("KIND", "better_auth"), ("SECRET", "2:new,old")], Some("SECRET"), "are written `2:new,1:old`"),
        (&[("KIND", "robo"), ("TOKEN", "jwe")], Some("TOKEN"), "is a format of Better Auth"),
        (&[("KIND", "nextauth")], Some("KIND"), "the version of next-auth decides"),
        (&[("KIND", "auth.js")], Some("KIND"), "write `authjs` for Auth.js"),
        (&[("TOKEN", "hs256"), ("ISSUER", "any")], Some("TOKEN"), "`hs256` needs `upstream.audience`"),
        (&[("TOKEN", "hs256"), ("AUDIENCE", "a")], Some("TOKEN"), "`hs256` needs `upstream.issuer`"),
        (
            &[("HOSTS", "app.example.com"), ("PUBLIC_URL", "https://app.example.com")],
            Some("HOSTS"),
            "`public_url` decides the host already",
        ),
        (&[("HOST_POLICY", "a/b")], Some("HOST_POLICY"), "expected a host"),
        (&[("BODY_LIMIT", "2GiB")], Some("BODY_LIMIT"), "expected a size from `1B` to `1GiB`"),
    ] {
        let error = build_with(vars).unwrap_err();
        let found =
            error.problems().iter().any(|p| p.variable() == variable && p.message().contains(message));
        assert!(found, "{vars:?}: {error}");
    }
}

#[test]
fn empty_environment_variables_count_as_not_set() {
    assert!(build_with(&[("SECRET_OLD", ""), ("TIMEOUT", ""), ("PUBLIC_URL", "")]).is_ok());
    assert!(
        build_with(&[("SECRET", "")]).unwrap_err().to_string().contains("SECRET (upstream.secret): not set")
    );
}

#[test]
fn builder_values_override_environment_variables() {
    let none: [(&str, &str); 0] = [];
    let auth = Everything::builder()
        .vars(none)
        .upstream_base_url("http://127.0.0.1:1")
        .upstream_headers([("X-API-Key", "k")])
        .upstream_secret(["a"])
        .base_path("/login/")
        .build()
        .unwrap();
    assert_eq!(auth.config().base_path(), "/login");
    assert_eq!(auth.config().sign_in_path(), "/login/signin");
    let error = Everything::builder().vars(VALID_VARIABLES).base_path("login").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration of `Everything` has 1 problem:\n  base_path: a path starts with `/`"
    );
}

/// The macro and the builder share the rules crate, so they must accept the same values.
#[test]
fn macro_and_builder_accept_the_same_values() {
    use auth_proxy_rules::{Draft, OptionKey};
    let table = [
        (
            OptionKey::BasePath,
            &["/api/auth", "/a/"][..],
            &["", "/", "api", "/a//b", "/..", "/a?b", "/{a}"][..],
        ),
        (
            OptionKey::PublicUrl,
            &["https://a.b", "http://localhost:3000"],
            &["a.b", "https://a.b/c", "ftp://a", "https://u@a"],
        ),
        (
            OptionKey::BaseUrl,
            &["https://a.b/c", "http://auth"],
            &["auth", "https://", "https://a?b", "https://a#b", "http://a.example.com"],
        ),
        (OptionKey::CookieName, &["a", "b.c-d"], &["", "a b", "a=b", "__Secure-a"]),
        (OptionKey::Timeout, &["5s", "500ms"], &["5", "1ms", "11m", "s"]),
        (OptionKey::BodyLimit, &["1B", "1GiB"], &["0B", "2GiB"]),
        (OptionKey::SignInPath, &["/login"], &["login", "//evil"]),
        (
            OptionKey::Hosts,
            &["app.example.com", "localhost:3000, [::1]:80"],
            &["https://a", "*.a.b", "*", "a/b", "a:99999", "a,b c"],
        ),
        (
            OptionKey::PublicOrigins,
            &["https://a.b", "http://localhost:1,https://a"],
            &["*", "a.b", "https://a/b", "ftp://a"],
        ),
        (
            OptionKey::Kind,
            &["robo", "authjs", "next_auth_v4"],
            &["nextauth", "next_auth", "auth.js", "Authjs", "robo.js", "better-auth"],
        ),
        (OptionKey::Token, &["encrypted"], &["hs256", "es256", "jwe"]),
        (OptionKey::Audience, &["any", "my-app"], &[" "]),
        (OptionKey::Issuer, &["any", "https://auth.example.com"], &[" "]),
        (OptionKey::Renew, &["always", "1h", "720h"], &["never", "off", "1", "0s", "721h", "1d"]),
        (OptionKey::ExposeSessionToken, &["true", "false"], &["yes", "1"]),
    ];
    for (option, valid, invalid) in table {
        for (texts, expected) in [(valid, true), (invalid, false)] {
            for text in texts {
                let mut draft = Draft::default();
                draft.set(OptionKey::BaseUrl, "http://auth").unwrap();
                let macro_accepts = draft.set(option, text).is_ok() && draft.check().is_empty();
                let builder = Everything::builder().vars(VALID_VARIABLES);
                let variable =
                    |name| Everything::builder().vars(VALID_VARIABLES.into_iter().chain([(name, *text)]));
                let builder = match option {
                    OptionKey::BasePath => builder.base_path(*text),
                    OptionKey::PublicUrl => builder.public_url(*text),
                    OptionKey::BaseUrl => builder.upstream_base_url(*text),
                    OptionKey::CookieName => builder.upstream_cookie_name(*text),
                    OptionKey::SignInPath => builder.sign_in_path(*text),
                    OptionKey::Hosts => builder.hosts(text.split(',')),
                    OptionKey::PublicOrigins => builder.upstream_public_origins(text.split(',')),
                    OptionKey::Timeout => variable("TIMEOUT"),
                    OptionKey::Kind => variable("KIND"),
                    OptionKey::Token => variable("TOKEN"),
                    OptionKey::Audience => variable("AUDIENCE"),
                    OptionKey::Issuer => variable("ISSUER"),
                    OptionKey::Renew => variable("RENEW"),
                    OptionKey::ExposeSessionToken => variable("EXPOSE"),
                    OptionKey::BodyLimit => variable("BODY_LIMIT"),
                    _ => panic!("this test does not set {option}"),
                };
                assert_eq!((macro_accepts, builder.build().is_ok()), (expected, expected), "{option} {text}");
            }
        }
    }
}

/// `AUTH_URL` of Auth.js has the base path at its end.
#[test]
fn base_url_that_ends_with_the_base_path_is_refused_from_env_and_builder() {
    let url = "https://auth.example.com/api/auth";
    for error in [
        build_with(&[("UPSTREAM", url)]).unwrap_err(),
        Everything::builder().vars(VALID_VARIABLES).upstream_base_url(url).build().unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("the base path `/api/auth` is added to this URL"), "{text}");
        assert!(!text.contains("auth.example.com"), "{text}");
    }
}
