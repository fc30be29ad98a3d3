//! The example `fake-upstream`: a fake login server as a command, and the cookies that it prints for Playwright.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use auth_proxy::testing::FakeUpstream;
use auth_proxy_tests::process::{Process, example};
use auth_proxy_tests::{Answer, Browser};
use serde_json::{Value, json};

use crate::browser::{output, run};
use crate::server::{SECRET, Server};

const ADA: &str = r#"{"sub":"7","name":"Ada","email":"ada@example.com","role":"admin"}"#;

/// The running command, which is killed on drop, and its two lines: the address, and the variables for a shell.
struct Fake {
    child: Child,
    address: String,
    variables: String,
}

impl Fake {
    fn start(arguments: &[&str]) -> Self {
        let mut command = example("fake-upstream");
        let mut child = command.args(["--port", "0"]).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let (address, variables) = (lines.next().expect("an address"), lines.next().expect("variables"));
        Self { child, address, variables }
    }

    /// The address without the note on users.
    fn url(&self) -> &str {
        self.address.split(' ').next().unwrap()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn file(name: &str) -> String {
    std::fs::create_dir_all(output("")).unwrap();
    output(&format!("storage-state-{name}.json"))
}

/// The `Cookie` header of a `storageState`.
fn cookie_of(state: &str) -> String {
    let state: Value = serde_json::from_str(state).unwrap();
    let cookies = state["cookies"].as_array().unwrap();
    assert!(cookies.iter().all(|cookie| cookie["domain"] == "127.0.0.1" && cookie["httpOnly"] == true));
    let pairs =
        cookies.iter().map(|cookie| format!("{}={}", cookie["name"], cookie["value"]).replace('"', ""));
    pairs.collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn fake_upstream_command_serves_an_app_of_every_kind() {
    let user = format!("ada:s3cret pass:{ADA}");
    for kind in ["authjs", "robo", "next_auth_v4", "better_auth"] {
        for strategy in ["jwt", "database"] {
            let name = format!("{kind}-{strategy}");
            let state = file(&name);
            let arguments =
                ["--kind", kind, "--strategy", strategy, "--user", &user, "--session-claim", "role"];
            let fake = Fake::start(&[&arguments[..], &["--claims", ADA, "--storage-state", &state]].concat());
            assert!(fake.address.ends_with(" (sign in as ada / s3cret pass)"), "{}", fake.address);

            // The second line is one that a shell reads.
            let program = example("from-env");
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("{}; exec \"$0\"", fake.variables)]).arg(program.get_program());
            shell.env("PORT", "0").env("RUST_LOG", "warn").env_remove("HOST");
            let app = Process::start(&mut shell);
            // The client keeps the cookies that a lookup renews.
            let [visitor, browser] = [(); 2].map(|()| Browser::at(&app.first_line));

            let cookie = cookie_of(&std::fs::read_to_string(&state).unwrap());
            let session = visitor.get_with("/session", &[("cookie", &cookie)]).await;
            assert_eq!(session.json()["user"]["name"], "Ada", "{name} {session:?}");
            assert_eq!(visitor.get_with("/protected", &[("cookie", &cookie)]).await.status, 200, "{name}");
            if kind == "better_auth" {
                continue;
            }
            assert_eq!(visitor.get_with("/admin", &[("cookie", &cookie)]).await.status, 200, "{name}");
            assert_eq!(browser.get("/session").await.status, 401, "{name}");
            browser.sign_in("ada", "wrong").await;
            assert_eq!(browser.get("/session").await.status, 401, "{name}");
            browser.sign_in("ada", "s3cret pass").await;
            assert_eq!(browser.get("/session").await.json()["user"]["role"], "admin", "{name}");
            browser.sign_out().await;
            assert_eq!(browser.get("/session").await.status, 401, "{name}");
        }
    }
}

#[tokio::test]
async fn cookies_of_the_fake_upstream_command_sign_in_to_chromium() {
    let state = file("chromium");
    let fake = Fake::start(&["--secret", SECRET, "--claims", ADA, "--storage-state", &state]);
    let mut quickstart = example("quickstart");
    let app = Process::start(quickstart.env("AUTH_UPSTREAM_URL", fake.url()));
    let app = app.first_line.split(' ').next().unwrap().to_owned();
    // Large claims make a cookie of several chunks.
    let large = json!({ "sub": "8", "name": "Ada", "pad": "x".repeat(6_000) }).to_string();
    let minted = [ADA, &large].map(|claims| {
        let arguments = ["cookie", "--secret", SECRET, "--app", &app, "--claims", claims];
        let output = example("fake-upstream").args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    });
    assert!(minted[1].contains("authjs.session-token.1"), "{}", minted[1]);
    let states = [&[std::fs::read_to_string(state).unwrap()], &minted[..]].concat().join("\n");
    run("storage-state.mjs", vec![("APP", app), ("STATES", states)], "the cookies sign in").await;
}

#[test]
fn mistakes_on_the_command_line_of_the_fake_upstream_say_what_to_write() {
    for (arguments, message) in [
        (&["--kind", "generic"][..], "--kind: write `authjs`, `robo`, `next_auth_v4` or `better_auth`"),
        (&["--port", "x"], "--port: `x` is no port"),
        (&["--user", "ada"], "--user: write LOGIN:PASSWORD"),
        (&["--claims", "[1]"], "--claims: no JSON object"),
        (&["--app", "localhost"], "--app: `localhost` is no URL: write http://127.0.0.1:3000"),
        (&["--bogus", "1"], "invalid option '--bogus'"),
        (&["--claims", ADA], "--storage-state and --claims belong together"),
        (&["cookie"], "`cookie` needs a visitor"),
        (&["cookie", "--kind", "better_auth", "--claims", ADA], "start the server with --storage-state FILE"),
        (
            &["cookie", "--strategy", "database", "--claims", ADA],
            "start the server with --storage-state FILE",
        ),
    ] {
        let Output { status, stdout, stderr } = example("fake-upstream").args(arguments).output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
        assert_eq!((status.code(), stdout.as_slice()), (Some(2), &b""[..]), "{arguments:?}");
    }
    let fake = Fake::start(&[]);
    let port = fake.url().rsplit(':').next().unwrap();
    let second = example("fake-upstream").args(["--port", port]).output().unwrap();
    let stderr = String::from_utf8(second.stderr).unwrap();
    assert!(stderr.contains("choose another `--port`"), "{stderr}");
    let help = example("fake-upstream").arg("--help").output().unwrap();
    assert!(
        help.status.success() && String::from_utf8(help.stdout).unwrap().contains("--storage-state FILE")
    );
}

/// The status, the keys and texts of a JSON body, and the names of the cookies with their attributes.
fn shape(answer: &Answer) -> String {
    let value = |value: &Value| match value {
        Value::Object(fields) => Value::from(fields.keys().cloned().collect::<Vec<_>>()),
        other => other.clone(),
    };
    let body = serde_json::from_str(&answer.body).map_or(Value::Null, |body: Value| value(&body));
    let cookies: BTreeMap<_, _> = answer
        .cookies()
        .into_iter()
        .map(|cookie| {
            let (name, rest) = cookie.split_once('=').unwrap();
            let (text, attributes) = rest.split_once(';').unwrap_or((rest, ""));
            let names = attributes.split(';').map(|one| one.split('=').next().unwrap().trim());
            let mut names: Vec<_> = names.map(str::to_owned).collect();
            names.sort();
            (name.to_owned(), (text.is_empty(), names))
        })
        .collect();
    format!("{} {body} {cookies:?}", answer.status)
}

/// Asks the fake of next-auth 4 and a real server the same.
#[tokio::test]
async fn fake_next_auth_v4_answers_as_the_real_one() {
    // With a URL over http, its cookies have no prefix.
    let real = Server::v4(&[("NEXTAUTH_URL", "http://127.0.0.1:9/api/auth")]);
    let fake = FakeUpstream::builder().next_auth_v4().secret(SECRET).start().await.unwrap();
    let (real, fake) = (Browser::at(&real.url), Browser::at(fake.url()));
    let mut seen = Vec::new();
    for browser in [real, fake] {
        let mut shapes = Vec::new();
        for path in ["/api/auth/session", "/api/auth/csrf", "/api/auth/session"] {
            shapes.push(shape(&browser.get(path).await));
        }
        shapes.push(shape(&browser.sign_in("demo", "wrong").await));
        shapes.push(shape(&browser.sign_in("demo", "demo").await));
        let session = browser.get("/api/auth/session").await;
        shapes.push(format!("{} {}", shape(&session), session.json()["user"]));
        let csrf = browser.csrf().await;
        let form = [("csrfToken", csrf.as_str()), ("json", "true"), ("callbackUrl", "/")];
        let out = browser.post("/api/auth/signout", &form).await;
        shapes.push(format!("{} {}", shape(&out), out.header("location")));
        let stray = [("cookie", "next-auth.session-token=x")];
        shapes.push(shape(&browser.get_with("/api/auth/session", &stray).await));
        seen.push(shapes);
    }
    for (real, fake) in seen[0].iter().zip(&seen[1]) {
        assert_eq!(real, fake);
    }
}
