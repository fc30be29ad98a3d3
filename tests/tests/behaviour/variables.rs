//! `VARIABLES` and `env_example()`: the environment variables that a declaration reads.

use auth_proxy::auth_proxy;
use auth_proxy::options::Variable;

auth_proxy! {
    struct Auth {
        base_path: "/auth",
        public_url: env("PUBLIC_URL", optional),
        upstream: {
            base_url: env("UPSTREAM"),
            headers: { "x-api-key": env("KEY"), "x-tenant": "a", "x-other": env("KEY", optional) },
            secret: [env("SECRET"), env("SECRET_OLD", optional)],
            timeout: env("TIMEOUT", default = "5s"),
        },
    }
}

auth_proxy! {
    struct WithoutVariables { upstream: { base_url: "http://auth" } }
}

fn entry(variable: &Variable) -> (&str, &str, bool, Option<&str>) {
    (variable.name, variable.option, variable.is_required, variable.default)
}

#[test]
fn variables_name_their_options_and_defaults() {
    let found: Vec<_> = Auth::VARIABLES.iter().map(entry).collect();
    assert_eq!(
        found,
        [
            ("PUBLIC_URL", "public_url", false, None),
            ("UPSTREAM", "upstream.base_url", true, None),
            ("KEY", "upstream.headers[\"x-api-key\"]", true, None),
            ("KEY", "upstream.headers[\"x-other\"]", false, None),
            ("SECRET", "upstream.secret", true, None),
            ("SECRET_OLD", "upstream.secret", false, None),
            ("TIMEOUT", "upstream.timeout", false, Some("5s")),
        ]
    );
    assert_eq!(WithoutVariables::VARIABLES, []);
}

/// The build fails without a variable exactly if it is said to be required.
#[test]
fn required_variables_are_those_that_the_build_misses() {
    let error = Auth::builder().vars([("UNUSED", "")]).build().unwrap_err().to_string();
    for variable in Auth::VARIABLES {
        let line = format!("{} ({}): not set", variable.name, variable.option);
        assert_eq!(error.contains(&line), variable.is_required, "{line} in {error}");
    }
}

/// The text of a header may be a key. `.env.example` is committed, and `Variable` has `Debug`.
#[test]
fn defaults_of_headers_are_not_shown() {
    auth_proxy! {
        struct Keyed {
            upstream: { base_url: "http://auth", headers: { "x-api-key": env("KEY", default = "hunter2") } },
        }
    }
    let text = format!("{}{:?}", Keyed::env_example(), Keyed::VARIABLES);
    assert!(text.contains("KEY=\n") && !text.contains("hunter2"), "{text}");
    assert!(!Keyed::VARIABLES[0].is_required);
}

#[test]
fn env_example_explains_each_variable_once() {
    let text = Auth::env_example();
    assert!(text.contains("\nUPSTREAM=\n") && text.contains("\n# PUBLIC_URL=\n"), "{text}");
    assert!(
        text.contains("# upstream.base_url: the address of the upstream. Required.\nUPSTREAM=\n"),
        "{text}"
    );
    assert!(text.contains("\n# TIMEOUT=5s\n"), "{text}");
    assert_eq!(text.matches("KEY=").count(), 1, "{text}");
    assert_eq!(WithoutVariables::env_example(), "");
}

/// A default is read from the file as it stands in the block.
#[test]
fn defaults_in_an_env_example_survive_a_dotenv_parser() {
    macro_rules! defaults {
        ($($name:ident $default:literal)+) => {
            [$({
                auth_proxy! {
                    struct $name {
                        upstream: { base_url: "http://auth", audience: env("VALUE", default = $default) },
                    }
                }
                ($name::env_example(), $default)
            }),+]
        };
    }
    for (text, default) in defaults! {
        Bare "https://a.example:80/b,c" Spaces "a b  c" Hash "a # b" Quote "it's" Double "say \"a\"" Dollar "$HOME and \\$x"
        Backslash "a\\b'c" Equals "a=b" Mixed "a'b\"c\\d$e#f"
    } {
        let text = text.replace("# VALUE=", "VALUE=");
        let parsed: Vec<(String, String)> =
            dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>().expect(&text);
        assert_eq!(parsed, [("VALUE".to_owned(), default.to_owned())], "{text}");
    }
}
