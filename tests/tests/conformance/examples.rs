use std::fs::File;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use auth_proxy::options::SessionStrategy;
use auth_proxy::testing::{FakeUpstream, mint};
use auth_proxy_tests::{Answer, Browser};
use serde_json::{Value, json};

use crate::server::{SECRET, Server};
use auth_proxy_tests::process::{Process, example};

/// The example `from-env` with the real server: both strategies, a small cookie and a cookie of three chunks.
#[tokio::test]
async fn from_env_example_serves_every_documented_route() {
    for (strategy, big, secret) in [
        (SessionStrategy::Jwt, 0, true),
        (SessionStrategy::Jwt, 7000, true),
        (SessionStrategy::Jwt, 7000, false),
        (SessionStrategy::Database, 0, false),
    ] {
        let server = Server::start(strategy, "/api/auth", big);
        let mut program = example("from-env");
        program.env("AUTH_UPSTREAM_URL", &server.url).env("AUTH_SESSION_STRATEGY", strategy.to_string());
        if secret {
            program.env("AUTH_SECRET", SECRET);
        }
        let program = Process::start(&mut program);
        let browser = Browser::at(&program.first_line);
        let case = format!("{strategy:?} {big} {secret}");

        assert_eq!(browser.get("/plain").await.body, "ok");
        for path in ["/session", "/token", "/token/raw", "/protected", "/admin"] {
            assert_eq!(browser.get(path).await.code(), "session_absent", "{case} {path}");
        }
        assert_eq!(browser.get("/session/optional").await.body, "null");

        let signed_in = browser.sign_in("demo", "demo").await;
        assert_eq!(signed_in.header("location"), format!("{}/", program.first_line), "{case}");
        let chunks =
            signed_in.cookies().iter().filter(|cookie| cookie.starts_with("authjs.session-token")).count();
        assert_eq!(chunks, if big > 0 { 3 } else { 1 }, "{case}");
        let session = browser.get("/session").await;
        check_session(&session, &case);
        assert_eq!(browser.get("/session/optional").await.json()["user"], session.json()["user"]);
        let token = browser.get("/token").await.json();
        assert_eq!(token["sub"], "1", "{case}");
        assert_eq!(token["email"], "demo@example.com", "{case}");
        if secret {
            // Claims that the default type has no field for are kept.
            assert_eq!(token["role"], "user");
            assert_eq!(token["pad"].as_str().map_or(0, str::len), big);
            assert!(token["exp"].is_u64() && token["jti"].is_string());
        }
        let raw = browser.get("/token/raw").await.body;
        assert_eq!(raw.split('.').count(), if strategy == SessionStrategy::Jwt { 5 } else { 1 }, "{case}");
        assert_eq!(browser.get("/protected").await.body, "ok");
        let refused = browser.get("/admin").await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "policy_refused"), "{case}");

        assert_eq!(browser.sign_out().await.status, 302);
        for path in ["/session", "/token", "/token/raw", "/protected", "/admin"] {
            assert_eq!(browser.get(path).await.status, 401, "{case} {path}");
        }
        browser.sign_in("admin", "admin").await;
        assert_eq!(browser.get("/admin").await.body, "ok", "{case}");
    }
}

fn check_session(answer: &Answer, case: &str) {
    let session = answer.json();
    assert_eq!(session["user"]["name"], "Demo", "{case}");
    assert_eq!(session["user"]["role"], "user", "{case}");
    assert!(session["expires"].as_str().is_some_and(|expires| expires.ends_with('Z')), "{case}");
    assert_eq!(session["sessionToken"], Value::Null, "{case}");
}

/// One message lists every invalid variable, and the exit status is 2.
#[test]
fn from_env_example_lists_every_invalid_variable() {
    let output = example("from-env")
        .env("AUTH_SESSION_STRATEGY", "hunter2")
        .env("AUTH_UPSTREAM_TIMEOUT", "hunter2")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for variable in ["AUTH_UPSTREAM_URL", "AUTH_SESSION_STRATEGY", "AUTH_UPSTREAM_TIMEOUT"] {
        assert!(text.contains(variable), "{text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}

/// The command `doctor` prints the report, and its exit status tells whether a finding is an error.
#[test]
fn from_env_example_checks_its_deployment() {
    let server = Server::start(SessionStrategy::Jwt, "/api/auth", 0);
    let front_door = "\nserver: Auth.js v5\ndeployment: front door\n\n";
    for (secret, status, first, last) in [
        (SECRET, 0, "not checked: session_strategy: ", "\n\nok\n"),
        ("wr0ng-9f8e7d6c5b4a39281706f5e4d3c2b1", 1, "error secret_wrong: ", "\n\n1 error, 0 warnings\n"),
    ] {
        let output = example("from-env")
            .arg("doctor")
            .env("AUTH_UPSTREAM_URL", &server.url)
            .env("AUTH_PUBLIC_URL", "https://app.example.com")
            .env("AUTH_SECRET", secret)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(status), "{text}");
        assert!(
            text.starts_with(&format!("upstream: {}/api/auth{front_door}{first}", server.url))
                && text.ends_with(last),
            "{text}"
        );
        assert!(!text.contains(secret), "{text}");
    }
}

/// A minimal container has no CA certificates, and an upstream over plain http needs none.
#[test]
fn from_env_example_needs_no_certificates_for_plain_http() {
    let bare = |url: &str| {
        let mut program = example("from-env");
        program
            .env("AUTH_UPSTREAM_URL", url)
            .env("SSL_CERT_FILE", "/nonexistent")
            .env("SSL_CERT_DIR", "/nonexistent");
        program
    };
    assert!(Process::start(&mut bare("http://auth.internal")).first_line.starts_with("http://127.0.0.1:"));
    let output = bare("https://auth.example.com").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("upstream.base_url") && text.to_lowercase().contains("certificate"), "{text}");
}

/// The examples reject requests without a session, and redirect browsers to the sign-in page.
#[tokio::test]
async fn deployment_examples_guard_their_page() {
    let server = Server::start(SessionStrategy::Jwt, "/api/auth", 0);
    for (name, vars) in [
        ("front-door", &[][..]),
        ("parent-domain", &[("AUTH_PUBLIC_URL", "http://app.internal")]),
        ("redirect-proxy", &[("AUTH_TRUSTED_PROXIES", "10.0.0.0/8")]),
    ] {
        let mut program = example(name);
        let program =
            Process::start(program.env("AUTH_UPSTREAM_URL", &server.url).envs(vars.iter().copied()));
        let browser = Browser::at(&program.first_line);
        assert_eq!(browser.get("/").await.code(), "session_absent", "{name}");
        let page = browser.get_with("/", &[("accept", "text/html")]).await;
        assert!(page.header("location").starts_with("/api/auth/signin?callbackUrl="), "{name}: {page:?}");
        assert_eq!(browser.get("/api/auth/providers").await.status, 200, "{name}");
        if name != "parent-domain" {
            browser.sign_in("demo", "demo").await;
            assert_eq!(browser.get("/").await.body, "signed in as demo@example.com", "{name}");
        }
    }
}

/// Each request has a connection of its own, so that the system spreads them over the cores.
#[cfg(unix)]
#[tokio::test]
async fn session_is_remembered_and_ended_on_all_cores() {
    let server = Server::start(SessionStrategy::Database, "/api/auth", 0);
    let vars = [("AUTH_SESSION_STRATEGY", "database")];
    let program = Process::start(&mut example_at("per-core", &vars, &server.url));
    let url = address(&program).to_owned();
    let browser = Browser::at(&url);
    let signed_in = browser.sign_in("demo", "demo").await;
    let cookie = signed_in.cookies().into_iter().find(|cookie| cookie.starts_with("authjs.session-token="));
    let cookie = cookie.unwrap().split(';').next().unwrap().to_owned();
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let get = async |path: &str| {
        let answer = client.get(format!("{url}{path}")).header("cookie", &cookie).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let mut cores = std::collections::BTreeSet::new();
    for _ in 0..64 {
        cores.insert(get("/core").await.1);
        assert_eq!(get("/").await, (200, "signed in as demo@example.com".to_owned()));
    }
    let expected = std::thread::available_parallelism().unwrap().get().min(8);
    assert!(cores.len() >= expected, "{cores:?}");
    let seen = reqwest::get(format!("{}/__seen", server.url)).await.unwrap().json::<Value>().await.unwrap();
    let is_lookup = |seen: &&Value| seen["url"] == "/api/auth/session";
    // One cache for all cores: the first request looked the session up, and all others found it.
    assert_eq!(seen.as_array().unwrap().iter().filter(is_lookup).count(), 1);
    browser.sign_out().await;
    for _ in 0..64 {
        // No core has it in memory any more.
        assert_eq!(get("/").await.0, 401);
    }
    // A second start does not take a part of the connections.
    let port = url.rsplit_once(':').unwrap().1;
    let second = example_at("per-core", &[("PORT", port)], &server.url).output().unwrap();
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("AddrInUse"), "{second:?}");
}

/// The quickstart without Node: sign-in, session, protected page and sign-out.
#[tokio::test]
async fn quickstart_signs_in_and_out() {
    let program = Process::start(&mut example("quickstart"));
    let url = program.first_line.split(' ').next().unwrap();
    let browser = Browser::at(url);
    assert!(browser.get("/").await.body.contains("Sign in"));
    assert_eq!(browser.get("/me").await.status, 401);
    let page = browser.get_with("/dashboard", &[("accept", "text/html")]).await;
    assert_eq!((page.status, page.header("location")), (303, "/api/auth/signin?callbackUrl=%2Fdashboard"));
    let form = browser.get(page.header("location")).await;
    assert!(form.body.contains("name=\"password\""), "{form:?}");
    browser.sign_in("demo", "demo").await;
    assert_eq!(browser.get("/me").await.json()["user"]["name"], "Demo");
    assert!(browser.get("/dashboard").await.body.contains("Demo"));
    browser.sign_out().await;
    assert_eq!(browser.get("/me").await.status, 401);
}

/// With `AUTH_UPSTREAM_URL` the quickstart uses that server instead of its built-in one.
#[tokio::test]
async fn quickstart_uses_the_configured_upstream() {
    let server = Server::start(SessionStrategy::Jwt, "/api/auth", 0);
    let program = Process::start(example("quickstart").env("AUTH_UPSTREAM_URL", &server.url));
    let browser = Browser::at(program.first_line.split(' ').next().unwrap());
    browser.sign_in("admin", "admin").await;
    assert_eq!(browser.get("/me").await.json()["user"]["email"], "admin@example.com");
}

/// Every example, with the variables that it needs to start.
const EXAMPLES: [(&str, &[(&str, &str)]); 7] = [
    ("front-door", &[]),
    ("from-env", &[("AUTH_UPSTREAM_KIND", "authjs")]),
    ("hardened", &[]),
    ("parent-domain", &[("AUTH_PUBLIC_URL", "http://app.internal")]),
    ("per-core", &[]),
    ("quickstart", &[]),
    ("redirect-proxy", &[]),
];

/// An example in front of an upstream.
fn example_at(name: &str, vars: &[(&str, &str)], upstream: &str) -> Command {
    let mut program = example(name);
    program.env("AUTH_UPSTREAM_URL", upstream).envs(vars.iter().copied());
    program
}

/// The address that the example prints.
fn address(program: &Process) -> &str {
    program.first_line.split(' ').next().unwrap()
}

/// By default only this machine can connect. In a container `HOST` opens the port to other machines.
#[tokio::test]
async fn every_example_listens_on_the_address_in_the_variable_host() {
    for (name, vars) in EXAMPLES {
        for (host, listens_at) in [
            (None, "127.0.0.1"),
            (Some(""), "127.0.0.1"),
            (Some("127.0.0.2"), "127.0.0.2"),
            (Some("0.0.0.0"), "0.0.0.0"),
        ] {
            let mut program = example_at(name, vars, "http://127.0.0.1:9");
            program.env_remove("HOST").envs(host.map(|host| ("HOST", host)));
            let program = Process::start(&mut program);
            let url = address(&program);
            assert!(url.starts_with(&format!("http://{listens_at}:")), "{name} {host:?}: {url}");
            // With `0.0.0.0` the program accepts connections to every address of this machine, else to that address
            // only.
            let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
            for to in ["127.0.0.1", "127.0.0.2"] {
                let answers = TcpStream::connect((to, port)).is_ok();
                assert_eq!(answers, listens_at == "0.0.0.0" || listens_at == to, "{name} {host:?} at {to}");
            }
        }
    }
}

/// Logs go to stderr, since the first line of stdout is the address. `RUST_LOG` sets the level.
#[test]
fn every_example_logs_to_stderr_at_the_level_of_rust_log() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("output");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, vars) in EXAMPLES {
        for (filter, logs_ready) in [
            (None, true),
            (Some(""), true),
            (Some("auth_proxy=info"), true),
            (Some("info,auth_proxy=warn"), false),
            (Some("off"), false),
        ] {
            let file = folder.join(format!("log-{name}.txt"));
            let mut program = example_at(name, vars, "http://127.0.0.1:9");
            program.env_remove("RUST_LOG").envs(filter.map(|filter| ("RUST_LOG", filter)));
            program.stderr(File::create(&file).unwrap());
            let program = Process::start(&mut program);
            assert!(program.first_line.starts_with("http://127.0.0.1:"), "{name}: {}", program.first_line);
            let log = std::fs::read_to_string(&file).unwrap();
            let ready = log.lines().filter(|line| line.contains("auth proxy ready")).count();
            assert_eq!(ready, usize::from(logs_ready), "{name} {filter:?}: {log}");
            std::fs::remove_file(file).unwrap();
        }
    }
}

/// Providers such as GitHub give no name if the account has none.
#[tokio::test]
async fn every_example_accepts_a_user_without_a_name() {
    const COOKIE: &str = "authjs.session-token";
    let upstream = FakeUpstream::start().await.unwrap();
    let token = mint(&json!({ "sub": "1", "name": null }), upstream.secret(), COOKIE);
    let cookie = format!("{COOKIE}={token}");
    for (name, vars) in EXAMPLES {
        let program = Process::start(&mut example_at(name, vars, upstream.url()));
        let browser = Browser::at(address(&program));
        let pages: &[&str] = match name {
            "from-env" => &["/session", "/token", "/protected"],
            "quickstart" => &["/", "/dashboard", "/me"],
            _ => &["/"],
        };
        for page in pages {
            let answer = browser.get_with(page, &[("cookie", &cookie)]).await;
            assert_eq!(answer.status, 200, "{name} {page}: {answer:?}");
            assert!(!answer.body.contains("guest"), "{name} {page}: {answer:?}");
        }
    }
}
