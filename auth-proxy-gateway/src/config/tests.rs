use super::*;
use crate::services;

fn parse(source: &str) -> Result<Config, String> {
    let variable = |name: &str| match name {
        "AUTH_SECRET" => Some("a secret that is long enough for every rule".into()),
        "REDIS_URL" => Some("redis://:hunter2@cache.internal".into()),
        "KEY" => Some("k3y".into()),
        "ORIGINS" => Some("https://a.example.com, https://b.example.com".into()),
        "PORT" => Some("8080".into()),
        _ => None,
    };
    Config::parse(Path::new("gateway.toml"), source, &variable).map_err(|report| report.to_string())
}

/// The lines that are printed for a file, after `gateway.toml:`.
fn mistakes(source: &str) -> Vec<String> {
    let report = parse(source).err().unwrap_or_default();
    report.lines().map(|line| line.trim_start_matches("gateway.toml:").to_owned()).collect()
}

const MINIMAL: &str = "listen = \"127.0.0.1:0\"\n[upstream]\nbase_url = \"http://auth.internal\"\n";

#[test]
fn every_mistake_is_told_at_once_with_its_place_and_what_to_write() {
    let source = r#"listen = "8080"
admin_listen = 9090
public_url = "app.example.com"
unautenticated = "status"
base_url = "http://auth.internal"
trusted_proxies = ["10.0.0.0/8", "10.0.0.0/99"]

[upstream]
kind = "auth_js"
secret = "tell-nobody"
timeout = 10
conect_timeout = "2s"
headers = { "x-api-key" = "${MISSING}", "authorization" = "Bearer hunter2", "host" = "a" }
fetch = "x"

[session]
cache = "5"
store = "redis://:hunter2@h"

[app]
url = "http://127.0.0.1:3000/path"
tiemout = "1s"

[[rules]]
path = "/admin/**"

[log]
format = "xml"
"#;
    assert_eq!(
        mistakes(source),
        [
            "1:10: expected an address with a port, such as `\"127.0.0.1:8080\"` or `\"[::]:8080\"`",
            "2:16: expected an address with a port, such as `\"127.0.0.1:8080\"` or `\"[::]:8080\"`, found a number",
            "3:14: `public_url`: expected an absolute URL such as `https://auth.example.com`: the scheme is missing",
            "4:1: there is no option `unautenticated`: write `unauthenticated`",
            "5:1: `base_url` belongs in `[upstream]`",
            "6:34: `trusted_proxies`: expected an address or a block of them, such as `10.0.0.7` or `10.0.0.0/8`, found `10.0.0.0/99`",
            "9:8: `upstream.kind`: write `authjs` for Auth.js, which next-auth v5 is too, or `next_auth_v4` for next-auth v4, found `auth_js`",
            "10:10: secrets do not belong in this file: write `secret = \"${AUTH_SECRET}\"`, or `secret = \"file:/run/secrets/auth-secret\"`",
            "11:11: expected `timeout = \"10s\"`, found a number",
            "12:1: there is no option `conect_timeout` in `[upstream]`: write `connect_timeout`",
            "13:27: the environment variable `MISSING` is not set",
            "13:59: credentials do not belong in this file: write `\"${AUTH_PROXY_KEY}\"`, with the whole text in the variable",
            "13:77: the `Host` header is set by `upstream.host`",
            "14:1: `upstream.fetch` is Rust code, which a file cannot have: remove it",
            "17:9: `session.cache`: the number needs a unit, one of `ms`, `s`, `m`, `h`: expected a duration such as `500ms`, `5s` or `2m`",
            "18:9: secrets do not belong in this file: write `store = \"${REDIS_URL}\"`",
            "21:7: `app.url`: an origin has no path: write the scheme, host and port only",
            "22:1: there is no option `tiemout` in `[app]`: write `timeout`",
            "24:1: `require` is missing: write `require = \"session\"`",
            "28:10: expected `\"text\"` or `\"json\"`",
        ]
    );
}

#[test]
fn message_has_the_text_to_write_in_place_of_the_mistake() {
    let file = |top: &str, tables: &str| {
        mistakes(&format!("{top}\n[upstream]\nbase_url = \"http://auth.internal\"\n{tables}"))
    };
    for (top, tables, expected) in [
        (
            "listen = \"localhost:8080\"",
            "",
            "1:10: `localhost` may be several addresses: write `\"127.0.0.1:8080\"`",
        ),
        ("listen = 127.0.0.1:8080", "", "1:10: a text needs quotes: write `listen = \"127.0.0.1:8080\"`"),
        (
            "listen = \"[::1]:8080\"",
            "[app]\nurl = localhost:3000\n",
            "5:7: a text needs quotes: write `url = \"localhost:3000\"`",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "[app]\nurl = \"localhost:3000\"\n",
            "5:7: `app.url`: the scheme is missing: write `url = \"http://127.0.0.1:3000\"`",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "[app]\nurl = \"unix:/run/app.sock:/prefix\"\n",
            "5:7: `app.url`: an app gets every path as it is: write the socket only",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "[app]\nurl = \"unix:app.sock\"\n",
            "5:7: `app.url`: a Unix socket is `unix:` and the absolute path of the socket, such as `unix:/run/auth.sock`",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "[app]\nurl = \"UNIX:app.sock\"\n",
            "5:7: `app.url`: a Unix socket is `unix:` and the absolute path of the socket, such as `unix:/run/auth.sock`",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "[app]\nurl = \"/run/app.sock\"\n",
            "5:7: `app.url`: expected an absolute URL such as `https://auth.example.com`, or `unix:` before the path of a \
             Unix socket",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "[app]\nurl = \"http://unix:/run/app.sock\"\n",
            "5:7: `app.url`: a Unix socket is `unix:` and its path, without `http:`, such as `unix:/run/auth.sock`",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "[rules]\npath = \"/a\"\nrequire = \"public\"\n",
            "4:1: expected a list of rules, found a table: write `[[rules]]`",
        ),
        (
            "listen = \"127.0.0.1:8080\"",
            "[[rules]]\npath = \"/a\"\nrequre = \"public\"\n",
            "6:1: there is no option `requre` in `[[rules]]`: write `require`",
        ),
    ] {
        assert_eq!(file(top, tables), [expected], "{top} {tables}");
    }
}

/// The sign-in routes and the app are other servers, so neither address is one that this process listens on.
#[test]
fn address_that_leads_back_to_the_gateway_is_a_mistake() {
    let found = |listen: &str, base: &str, app: &str| {
        mistakes(&format!(
            "listen = \"{listen}\"\nadmin_listen = \"127.0.0.1:9090\"\n[upstream]\nbase_url = \"{base}\"\n[app]\nurl = \"{app}\"\n"
        ))
    };
    let circles = |option: &str, listener: &str| {
        format!(
            "`{option}` is the address of `{listener}`, so requests would go in circles: write that of the other server"
        )
    };
    let (auth, app) = ("http://localhost:3001", "http://127.0.0.1:3000");
    for (listen, url) in [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("127.0.0.1:8080", "http://localhost:8080"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("[::]:80", "http://localhost"),
    ] {
        assert_eq!(found(listen, auth, url), [format!("6:7: {}", circles("app.url", "listen"))], "{url}");
        assert_eq!(
            found(listen, url, app),
            [format!("4:12: {}", circles("upstream.base_url", "listen"))],
            "{url}"
        );
    }
    assert_eq!(
        found("127.0.0.1:8080", auth, "http://127.0.0.1:9090"),
        [format!("6:7: {}", circles("app.url", "admin_listen"))]
    );
    for url in ["http://127.0.0.1:8081", "http://127.0.0.2:8080", "http://app:8080"] {
        assert_eq!(found("127.0.0.1:8080", auth, url), [""; 0], "{url}");
    }
}

/// A Unix socket of the login or of the app is none that the gateway listens on.
#[test]
fn unix_sockets_are_addresses_of_the_login_and_of_the_app() {
    let source = |url: &str| {
        format!(
            "listen = \"127.0.0.1:80\"\n[upstream]\nbase_url = \"{url}\"\n[app]\nurl = \"unix:/run/app.sock\"\n"
        )
    };
    assert_eq!(mistakes(&source("unix:/run/auth.sock:/tenant")), [""; 0]);
    assert_eq!(
        mistakes(&source("unix:run/auth.sock")),
        ["3:12: `upstream.base_url`: a Unix socket is `unix:` and the absolute path of the socket, such as \
             `unix:/run/auth.sock`"]
    );
}

/// Better Auth has no pages of its own, so the sign-in page is one of the app.
#[test]
fn sign_in_page_that_needs_a_session_is_a_warning() {
    let warnings = |upstream: &str, tables: &str| {
        let source = format!(
            "listen = \"127.0.0.1:0\"\n[upstream]\nbase_url = \"http://auth.internal\"\n{upstream}[app]\nurl = \"http://127.0.0.1:3000\"\n{tables}"
        );
        parse(&source).unwrap().warnings.to_string()
    };
    let better_auth = "kind = \"better_auth\"\n";
    let rule = |path: &str, require: &str| format!("[[rules]]\npath = \"{path}\"\nrequire = \"{require}\"\n");
    assert_eq!(
        warnings(better_auth, ""),
        "gateway.toml:5:1: warning: the sign-in page `/sign-in` needs a session, so nobody can sign in: add `[[rules]]` with \
         `path = \"/sign-in\"` and `require = \"public\"`, or set `sign_in_path`\n"
    );
    assert!(!warnings(better_auth, &rule("/**", "session")).is_empty());
    for (upstream, tables) in [
        (better_auth, rule("/sign-in", "public")),
        (better_auth, rule("/**", "guests")),
        ("kind = \"authjs\"\n", String::new()),
        ("", String::new()),
    ] {
        assert_eq!(warnings(upstream, &tables), "", "{upstream}{tables}");
    }
}

/// The rules between options say what to write in this file.
#[test]
fn rules_between_options_are_told_in_the_words_of_the_file() {
    for (more, expected) in [
        ("session_strategy = \"database\"\nsecret = \"${AUTH_SECRET}\"\n", &["5:10: "][..]),
        ("[session]\nsource = \"local\"\n", &["5:10: "]),
        ("timeout = \"1s\"\nconnect_timeout = \"2s\"\n", &["5:19: "]),
        ("[session]\nstale_if_error = \"5m\"\n", &["5:18: "]),
        ("[session]\nrevocation = \"store\"\n", &["5:14: `session.revocation`: "]),
    ] {
        let found = match parse(&format!("{MINIMAL}{more}")) {
            Ok(config) => {
                services::gateway(&config).err().map(|report| report.to_string()).unwrap_or_default()
            }
            Err(report) => report,
        };
        let lines: Vec<&str> = found.lines().map(|line| line.trim_start_matches("gateway.toml:")).collect();
        assert_eq!(lines.len(), expected.len(), "{more}: {lines:?}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{line}");
            assert!(!line.contains(": {") && !line.contains("env("), "a block of Rust in {line}");
        }
    }
}

#[test]
fn missing_options_are_told_at_their_table() {
    assert_eq!(
        mistakes("[upstream]\nkind = \"authjs\"\n[app]\n"),
        [
            "1:1: `listen` is missing: write `listen = \"127.0.0.1:8080\"`",
            "1:1: `upstream.base_url` is missing: write `base_url = \"${AUTH_UPSTREAM_URL}\"` in `[upstream]`",
            "3:1: `app.url` is missing: write `url = \"http://127.0.0.1:3000\"` in `[app]`",
        ]
    );
}

#[test]
fn key_or_table_that_is_there_twice_is_named() {
    let twice = mistakes(&format!(
        "{MINIMAL}[upstream]\nkind = \"authjs\"\n[log]\nlevel = \"info\"\nlevel = \"warn\"\n"
    ));
    assert_eq!(
        twice,
        [
            "4:2: `upstream` is there twice: keep one, with all that belongs to it",
            "8:1: `level` is there twice: keep one, with all that belongs to it",
        ]
    );
}

/// What cannot be read is told, and nothing is told to be missing that may stand there.
#[test]
fn syntax_errors_are_told_together_with_other_mistakes() {
    let lines = mistakes(
        "listen = \nadmin_listen = \"x\"\n[upstream\nbase_url = \"http://a\"\n[log]\nformat = 1\nformat = 2\n",
    );
    assert!(lines.len() >= 4, "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("2:16: expected an address")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("is missing: ")), "{lines:?}");
}

#[test]
fn values_of_variables_and_files_are_not_shown() {
    let folder = std::env::temp_dir();
    let file = folder.join(format!("gateway-secret-{}", std::process::id()));
    std::fs::write(&file, "hunter2\n").unwrap();
    let source = format!(
        "{MINIMAL}secret = \"file:{}\"\nheaders = {{ \"x-key\" = \"file:{}\" }}\n[session]\ncache = \"${{REDIS_URL}}\"\n[revocation]\nwebhook_secret = \"file:{0}\"\n",
        file.display(),
        "/nowhere/key",
    );
    let lines = mistakes(&source);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(
        lines,
        [
            "5:23: cannot read the file `/nowhere/key`: No such file or directory (os error 2)",
            "7:9: `session.cache`: expected a duration such as `500ms`, `5s` or `2m`",
            "9:18: `revocation.webhook_secret` adds to the list of revoked tokens, and there is none: add `revocation = \"store\"` in `[session]`",
            "9:18: it is shorter than 32 bytes: generate one with `openssl rand -base64 33`",
        ]
    );
}

#[test]
fn suspicious_values_are_warnings() {
    let config =
        parse(&format!("public_url = \"http://app.example.com\"\n{MINIMAL}[session]\ncache_entries = 5\n"))
            .unwrap();
    assert_eq!(
        config.warnings.to_string(),
        "gateway.toml:1:14: warning: over plain http, anyone between a visitor and this app can read the session cookies: \
         write `https://`\ngateway.toml:6:17: warning: `cache_entries` has no effect without a cache: remove it, or add \
         `cache = \"30s\"` in `[session]`\n"
    );
}

#[test]
fn mistakes_of_rules_are_told_at_the_path_or_the_requirement() {
    let rule = |path: &str, require: &str| format!("[[rules]]\npath = {path}\nrequire = {require}\n");
    for (path, require, expected) in [
        ("\"/a\"", "\"publc\"", "6:11: there is no requirement `publc`: write `\"public\"`"),
        ("\"/a\"", "\"rol:admin\"", "6:11: there is no requirement `rol:admin`: write `\"role:admin\"`"),
        ("\"/a\"", "\"role\"", "6:11: `role` needs a name: write `\"role:admin\"`"),
        ("\"/a\"", "\"role: \"", "6:11: `role` needs a name: write `\"role:admin\"`"),
        (
            "\"/a\"",
            "\"x:y\"",
            "6:11: there is no requirement `x:y`: write one of `\"public\"`, `\"guests\"`, `\"session\"`, `\"role:admin\"`, \
             `\"permission:orders:read\"`, `\"organization:acme\"`, `\"max_age:10m\"`",
        ),
        (
            "\"/a\"",
            "\"max_age:10\"",
            "6:11: `max_age`: the number needs a unit, one of `ms`, `s`, `m`, `h`: expected a duration such as `500ms`, `5s` or \
             `2m`",
        ),
        (
            "\"/a\"",
            "[\"role:a\", \"public\"]",
            "6:22: `public` stands alone: a list has rules such as `\"role:admin\"`",
        ),
        (
            "\"/a\"",
            "[]",
            "6:11: the list is empty: write `require = \"session\"` or `require = \"role:admin\"`",
        ),
        (
            "\"/a\"",
            "true",
            "6:11: expected `require = \"session\"` or `require = \"role:admin\"`, found `true` or `false`",
        ),
        ("5", "\"public\"", "5:8: expected `path = \"/admin/**\"`, found a number"),
    ] {
        assert_eq!(mistakes(&format!("{MINIMAL}{}", rule(path, require))), [expected], "{path} {require}");
    }
    // What the pattern may be, the library decides.
    for path in ["admin", "/a/**/b", "/a//b", "/%61", "/a?b"] {
        let found = mistakes(&format!("{MINIMAL}{}", rule(&format!("{path:?}"), "\"public\"")));
        assert!(found.len() == 1 && found[0].starts_with("5:8: "), "{found:?}");
    }
    let never = format!("{MINIMAL}{}{}", rule("\"/**\"", "\"public\""), rule("\"/admin\"", "\"role:admin\""));
    assert!(mistakes(&never)[0].starts_with("8:8: no path reaches this rule"), "{:?}", mistakes(&never));
    let fine = format!("{MINIMAL}{}", rule("\"/a\"", "[\"role:admin\", \"max_age:10m\"]"));
    assert!(parse(&fine).is_ok());
}

#[test]
fn mistakes_of_the_signed_token_are_told() {
    for (table, expected) in [
        (
            "token_issuer = \"a\"",
            "5:16: this has no effect without a key: write `token_key = \"file:/run/secrets/identity-key.pem\"`, or remove it",
        ),
        (
            "token_key = \"-----BEGIN PRIVATE KEY-----\"\ntoken_issuer = \"a\"\ntoken_audience = \"b\"",
            "5:13: secrets do not belong in this file: write `token_key = \"file:/run/secrets/identity-key.pem\"`",
        ),
        (
            "token_key = []\ntoken_issuer = \"a\"\ntoken_audience = \"b\"",
            "5:13: the list is empty: write `token_key = \"file:/run/secrets/identity-key.pem\"`, or remove it",
        ),
    ] {
        assert_eq!(mistakes(&format!("{MINIMAL}[verdict]\n{table}\n")), [expected]);
    }
    let found = mistakes(&format!("{MINIMAL}[verdict]\ntoken_key = \"${{KEY}}\"\n"));
    assert!(found.iter().any(|line| line.contains("`token_issuer` is missing")), "{found:?}");
    assert!(found.iter().any(|line| line.contains("`token_audience` is missing")), "{found:?}");
    assert!(found.len() == 3 && !found.concat().contains("k3y"), "{found:?}");
}

/// Each option of a block can be set in the file, with a value as the documentation shows it.
#[test]
fn every_option_of_a_block_is_read_from_the_file() {
    use auth_proxy_rules::{Group, OptionKey, Shape};
    for option in OptionKey::ALL.iter().filter(|option| option.shape() != Shape::Expression) {
        let written = wording::value(option.example())
            .replace("${AUTH_UPSTREAM_URL}", "http://auth.internal")
            .replace("${AUTH_PROXY_KEY}", "${KEY}")
            .replace("${AUTH_REVOKE_SECRET}", "${AUTH_SECRET}");
        let line = match option.group() {
            Group::Top => format!("{} = {written}\n", option.key()),
            group => format!("{}.{} = {written}\n", group.key(), option.key()),
        };
        let variable = |_: &str| Some("redis://a-variable-that-is-long-enough".into());
        let mut reader = Reader::new(Sources { folder: Path::new(""), variable: &variable }, true);
        let document = DeTable::parse(&line).unwrap();
        let (options, _) = options::read(Table::new("", document.get_ref()), &mut reader);
        let own = |mistake: &&Mistake| {
            mistake.message.starts_with("expected ")
                || mistake.message.starts_with("there is no option")
                || mistake.message.starts_with(&format!("`{option}`: "))
        };
        assert_eq!(reader.mistakes.iter().find(own), None, "{line}");
        let prefix = option.to_string();
        assert!(options.places_begin_with(&prefix), "{line}");
    }
}

#[test]
fn smallest_file_is_read() {
    let config = parse(MINIMAL).unwrap();
    assert!(config.app.is_none());
    assert!(config.warnings.is_empty());
    assert!(services::gateway(&config).is_ok());
}

/// axum panics when two routers have one path.
#[test]
fn verdict_endpoint_that_overlaps_the_sign_in_routes_is_a_mistake() {
    let routes = |source: &str| {
        let config = parse(source)?;
        let routes = crate::routes::Routes::new(&config, None);
        routes.map(drop).map_err(|report| report.to_string())
    };
    let app = "[app]\nurl = \"http://127.0.0.1:3000\"\n";
    for (top, tables, place) in [
        ("", "[verdict]\npath = \"/api/auth\"\n", "6:8"),
        ("", "[verdict]\npath = \"/api/auth/verdict\"\n", "6:8"),
        ("", "[verdict]\npath = \"/api\"\n", "6:8"),
        ("", "[app]\nurl = \"http://127.0.0.1:3000\"\n[verdict]\npath = \"/api/auth/\"\n", "8:8"),
        ("base_path = \"/_auth/verdict\"", "", "2:13"),
        ("base_path = \"/_auth\"", "", "2:13"),
        ("base_path = \"/_auth/verdict/envoy\"", "", "2:13"),
        ("base_path = \"/login\"", "base_path = \"/api/auth\"\n[verdict]\npath = \"/api/auth\"\n", "7:8"),
        ("base_path = \"/login\"", "base_path = \"/_auth\"\n", "5:13"),
    ] {
        let source = format!(
            "listen = \"127.0.0.1:0\"\n{top}\n[upstream]\nbase_url = \"http://auth.internal\"\n{tables}"
        );
        let report = routes(&source).unwrap_err();
        let start = format!("gateway.toml:{place}: the verdict endpoint overlaps the sign-in routes at `/");
        assert!(report.starts_with(&start) && report.lines().count() == 1, "{source}: {report}");
    }
    assert_eq!(routes(&format!("{MINIMAL}[verdict]\npath = \"/api/authority\"\n")), Ok(()));
    // In front of an app, the default path has no route.
    assert_eq!(routes(&format!("base_path = \"/_auth\"\n{MINIMAL}{app}")), Ok(()));
}
