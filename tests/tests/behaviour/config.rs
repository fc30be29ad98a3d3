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
const GOOD: [(&str, &str); 3] = [("UPSTREAM", "http://auth.internal"), ("KEY", "k3y"), ("SECRET", SECRET)];

fn with(more: &[(&str, &str)]) -> Result<Everything, auth_proxy::ConfigError> {
    let vars = GOOD.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name)).chain(more);
    Everything::builder().vars(vars.copied()).build()
}

#[test]
fn all_config_problems_are_listed_without_their_values() {
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
fn cross_option_rules_apply_to_variables() {
    for (vars, variable, says) in [
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
            "expected one of `robo`, `authjs`, `next_auth_v4` (nearest: `authjs`)",
        ),
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
        let error = with(vars).unwrap_err();
        let found = error.problems().iter().any(|p| p.variable() == variable && p.message().contains(says));
        assert!(found, "{vars:?}: {error}");
    }
}

#[test]
fn empty_variables_count_as_not_set() {
    assert!(with(&[("SECRET_OLD", ""), ("TIMEOUT", ""), ("PUBLIC_URL", "")]).is_ok());
    assert!(with(&[("SECRET", "")]).unwrap_err().to_string().contains("SECRET (upstream.secret): not set"));
}

#[test]
fn builder_values_replace_variables() {
    let none: [(&str, &str); 0] = [];
    let auth = Everything::builder()
        .vars(none)
        .base_url("http://127.0.0.1:1")
        .header("X-API-Key", "k")
        .secrets(["a"])
        .base_path("/login/")
        .build()
        .unwrap();
    assert_eq!(auth.config().base_path(), "/login");
    assert_eq!(auth.config().sign_in_path(), "/login/signin");
    let error = Everything::builder().vars(GOOD).base_path("login").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration of `Everything` has 1 problem:\n  base_path: a path starts with `/`"
    );
}

/// Macro and runtime use one set of rules, so they must agree on every value.
#[test]
fn macro_and_builder_accept_the_same_values() {
    use auth_proxy_rules::{Draft, Opt};
    let table = [
        (Opt::BasePath, &["/api/auth", "/a/"][..], &["", "/", "api", "/a//b", "/..", "/a?b", "/{a}"][..]),
        (
            Opt::PublicUrl,
            &["https://a.b", "http://localhost:3000"],
            &["a.b", "https://a.b/c", "ftp://a", "https://u@a"],
        ),
        (
            Opt::BaseUrl,
            &["https://a.b/c", "http://auth"],
            &["auth", "https://", "https://a?b", "https://a#b", "http://a.example.com"],
        ),
        (Opt::CookieName, &["a", "b.c-d"], &["", "a b", "a=b", "__Secure-a"]),
        (Opt::Timeout, &["5s", "500ms"], &["5", "1ms", "11m", "s"]),
        (Opt::BodyLimit, &["1B", "1GiB"], &["0B", "2GiB"]),
        (Opt::SignInPath, &["/login"], &["login", "//evil"]),
        (
            Opt::Hosts,
            &["app.example.com", "localhost:3000, [::1]:80"],
            &["https://a", "*.a.b", "*", "a/b", "a:99999", "a,b c"],
        ),
        (
            Opt::PublicOrigins,
            &["https://a.b", "http://localhost:1,https://a"],
            &["*", "a.b", "https://a/b", "ftp://a"],
        ),
        (
            Opt::Kind,
            &["robo", "authjs", "next_auth_v4"],
            &["nextauth", "next_auth", "auth.js", "Authjs", "robo.js"],
        ),
        (Opt::Token, &["encrypted"], &["hs256", "es256", "jwe"]),
        (Opt::Audience, &["any", "my-app"], &[" "]),
        (Opt::Issuer, &["any", "https://auth.example.com"], &[" "]),
        (Opt::Renew, &["always", "1h", "720h"], &["never", "off", "1", "0s", "721h", "1d"]),
        (Opt::ExposeSessionToken, &["true", "false"], &["yes", "1"]),
    ];
    for (option, good, bad) in table {
        for (texts, expected) in [(good, true), (bad, false)] {
            for text in texts {
                let mut draft = Draft::default();
                draft.set(Opt::BaseUrl, "http://auth").unwrap();
                let proved = draft.set(option, text).is_ok() && draft.check().is_empty();
                let builder = Everything::builder().vars(GOOD);
                let variable = |name| Everything::builder().vars(GOOD.into_iter().chain([(name, *text)]));
                let builder = match option {
                    Opt::BasePath => builder.base_path(*text),
                    Opt::PublicUrl => builder.public_url(*text),
                    Opt::BaseUrl => builder.base_url(*text),
                    Opt::CookieName => builder.cookie_name(*text),
                    Opt::SignInPath => builder.sign_in_path(*text),
                    Opt::Hosts => builder.hosts([*text]),
                    Opt::PublicOrigins => builder.public_origins([*text]),
                    Opt::Timeout => variable("TIMEOUT"),
                    Opt::Kind => variable("KIND"),
                    Opt::Token => variable("TOKEN"),
                    Opt::Audience => variable("AUDIENCE"),
                    Opt::Issuer => variable("ISSUER"),
                    Opt::Renew => variable("RENEW"),
                    Opt::ExposeSessionToken => variable("EXPOSE"),
                    Opt::BodyLimit => variable("BODY_LIMIT"),
                    _ => panic!("{option} is not set"),
                };
                assert_eq!((proved, builder.build().is_ok()), (expected, expected), "{option} {text}");
            }
        }
    }
}
