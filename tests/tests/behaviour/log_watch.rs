//! Tests of the log watch, which searches all logs for secrets and aborts the test process when it finds one.

use std::process::Command;
use std::sync::{Arc, Mutex};

use auth_proxy::testing::mint;
use auth_proxy_tests::scanner::Scanner;
use auth_proxy_tests::watch::{self, Sink};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::support::{app, decoding_app, upstream};

const SECRET: &str = "open/sesame+seeds=that are \"quoted\"";

#[test]
fn scanner_finds_secrets_in_every_encoding_and_in_part() {
    let scanner = Scanner::default();
    let token = mint(&json!({ "sub": "1" }), SECRET, "authjs.session-token");
    for secret in [SECRET, &token, "k3y"] {
        assert_eq!(scanner.find(format!("x{secret}y").as_bytes()), None);
        scanner.add(secret.as_bytes());
    }
    let percent = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    for line in [
        format!("key={SECRET}"),
        format!("key={SECRET:?}"),
        format!("{:?}", SECRET.as_bytes()),
        percent(SECRET),
        percent(SECRET).to_lowercase(),
        STANDARD.encode(SECRET),
        URL_SAFE_NO_PAD.encode(SECRET),
        // Base64 differs by the length of the text before the secret, modulo 3.
        STANDARD.encode(format!("a:{SECRET}")),
        STANDARD.encode(format!("ab:{SECRET}")),
        STANDARD.encode(format!("abc:{SECRET}")),
        SECRET.bytes().map(|byte| format!("{byte:02x}")).collect(),
        // Only the first or the last characters of a token.
        format!("cookie: {}..", &token[..20]),
        format!("..{}", &token[token.len() - 20..]),
        "x-api-key: k3y".to_owned(),
        STANDARD.encode("k3y"),
    ] {
        assert!(scanner.find(line.as_bytes()).is_some(), "{line}");
    }
    for line in ["", "open", "a key", "eyJhbGciOi", "GET /api/auth/session 200"] {
        assert_eq!(scanner.find(line.as_bytes()), None, "{line}");
    }
}

static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[derive(Debug)]
#[expect(dead_code, reason = "only its Debug text is used")]
struct Holder(&'static str);

/// This test uses its own log watch, which records the found lines instead of aborting.
#[test]
fn log_watch_searches_messages_fields_and_spans() {
    let scanner = Arc::new(Scanner::default());
    scanner.add(SECRET.as_bytes());
    let sink = Sink { scanner, found: |_, line| FOUND.lock().unwrap().push(line.to_owned()) };
    tracing::subscriber::with_default(watch::subscriber(sink), || {
        tracing::trace!("one {SECRET}");
        tracing::trace!(key = SECRET, "two");
        tracing::trace!(key = ?Holder(SECRET), "three");
        tracing::trace_span!("four", key = SECRET).in_scope(|| {});
        let late = tracing::trace_span!("five", key = tracing::field::Empty);
        late.record("key", SECRET);
        drop(late);
        tracing::trace!(target: "another_crate", "six {SECRET}");
        tracing::error!("nothing");
    });
    let found = FOUND.lock().unwrap();
    for word in ["one", "two", "three", "four", "five", "six"] {
        assert!(found.iter().any(|line| line.contains(word)), "{word}: {found:?}");
    }
    assert!(!found.iter().any(|line| line.contains("nothing")));
}

static LINES: Mutex<String> = Mutex::new(String::new());

/// The log watch must receive the logs of the library and of its dependencies. Otherwise it could not find secrets in
/// them.
#[tokio::test]
async fn log_watch_receives_logs_of_dependencies() {
    #[derive(Clone)]
    struct Keep;
    impl std::io::Write for Keep {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            watch::look(line);
            LINES.lock().unwrap().push_str(&String::from_utf8_lossy(line));
            Ok(line.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let upstream = upstream().await;
    let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Keep).finish();
    let _guard = tracing::subscriber::set_default(all);
    for (_app, browser) in [app(&upstream).await, decoding_app(&upstream).await] {
        browser.sign_in("demo", "demo").await;
        for path in ["/session", "/token", "/admin"] {
            browser.get(path).await;
        }
    }
    let lines = LINES.lock().unwrap();
    for target in ["auth_proxy", "axum", "hyper_util"] {
        assert!(lines.contains(&format!(" {target}::")), "{target}: {lines}");
    }
}

/// A helper, not a test. `WATCH_TEST_ACTION` selects how this separate process leaks a secret or panics.
#[test]
fn helper_process_leak_or_panic() {
    let Ok(action) = std::env::var("WATCH_TEST_ACTION") else { return };
    watch::start();
    watch::secret(SECRET);
    let cookie = "a-cookie-of-a-response";
    watch::secret(cookie);
    // The result of the thread is ignored, so only the log watch can end the process.
    let leak_or_panic = move || match action.as_str() {
        "event" => tracing::trace!(target: "hyper_util::client", "sent {SECRET}"),
        "span" => drop(tracing::debug_span!("request", cookie)),
        "field" => tracing::debug!(holder = ?Holder(SECRET)),
        "log" => log::trace!("GET /?code={SECRET}"),
        "key" => tracing::info!("{}", STANDARD.encode("xx k3y")),
        // The panic comes from a file outside of the tests.
        "panic" => drop(bytes::Bytes::from_static(b"x").slice(2..)),
        "nothing" => {
            tracing::error!("an error");
            let _ = std::panic::catch_unwind(|| panic!("a panic in test code"));
        }
        other => unreachable!("{other}"),
    };
    let _ = std::thread::spawn(leak_or_panic).join();
}

#[test]
fn logged_secret_or_library_panic_aborts_the_suite() {
    for (action, message) in [
        ("event", "of a secret: "),
        ("span", "of a secret: "),
        ("field", "of a secret: "),
        ("log", "of a secret: "),
        ("key", "watch: `"),
        ("panic", "a panic outside of the tests"),
        ("nothing", ""),
    ] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "log_watch::helper_process_leak_or_panic"])
            .env("WATCH_TEST_ACTION", action)
            .output()
            .unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(stdout.contains("running 1 test"), "{action}: {stdout}");
        assert_eq!(output.status.success(), action == "nothing", "{action}: {stdout} {stderr}");
        assert!(
            stderr.contains(message) && stderr.contains("watch: ") == (action != "nothing"),
            "{action}: {stderr}"
        );
    }
}
