//! Path traversal: no forwarded path leaves the base path at the upstream, however the upstream decodes it.

use auth_proxy_tests::App;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::support::http1::{Recorder, exchange, find};
use crate::support::{Auth, app_of};

const CORPUS: &str = include_str!("../../corpus/paths.txt");

/// The base path of the auth routes at the upstream.
const BASE: &str = "/tenant/auth";

async fn recorder_and_app() -> (Recorder, App) {
    let upstream = Recorder::start().await;
    let builder =
        Auth::builder().upstream_base_url(format!("{}/tenant", upstream.url)).upstream_base_path("/auth");
    let (app, _browser) = app_of(builder).await;
    (upstream, app)
}

/// The lines of a section of the corpus, as bytes.
fn section(name: &str) -> Vec<Vec<u8>> {
    let of_name = CORPUS.split("\n== ").find(|section| section.starts_with(name)).unwrap();
    let lines = of_name.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines.map(unescape).collect()
}

/// Decodes `\xNN` and `\\` in a line of the corpus.
fn unescape(line: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), line);
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        rest = match after.strip_prefix('x') {
            Some(digits) => {
                bytes.push(u8::from_str_radix(&digits[..2], 16).unwrap());
                &digits[2..]
            }
            None => {
                bytes.push(b'\\');
                after.strip_prefix('\\').unwrap()
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Sends a GET with exactly this target. Returns the status and the targets that the upstream received.
async fn request_target(app: &App, upstream: &Recorder, target: &[u8]) -> (u16, Vec<String>) {
    let request = [b"GET ", target, b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"].concat();
    let answers = exchange(app.addr, &request).await;
    assert_eq!(answers.len(), 1, "{:?}", String::from_utf8_lossy(target));
    let seen = upstream.take();
    assert_eq!(seen.faults, [""; 0], "{:?}", String::from_utf8_lossy(target));
    let targets = seen.requests.iter().map(|request| {
        let line = request.start.strip_prefix("GET ").and_then(|line| line.strip_suffix(" HTTP/1.1"));
        line.unwrap_or_else(|| panic!("unexpected request line {:?}", request.start)).to_owned()
    });
    (answers[0].status(), targets.collect())
}

/// Describes how a server could read this target as a path outside of the base path. Tries the URL rules of browsers
/// (WHATWG), up to three rounds of percent-decoding, backslashes as slashes, empty segments, and removed `;`
/// parameters.
fn find_escape(target: &str) -> Option<String> {
    let path = target.split('?').next().unwrap_or_default();
    if target.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Some("non-ASCII bytes".to_owned());
    }
    let mut text = path.to_owned();
    for round in 0..4 {
        let joined = text.replace('\\', "/");
        let without_parameters: Vec<&str> =
            joined.split('/').map(|segment| segment.split([';', '\0']).next().unwrap_or_default()).collect();
        for reading in [text.clone(), joined.clone(), without_parameters.join("/")] {
            let Ok(url) = Url::parse(&format!("http://upstream.test{reading}")) else {
                return Some(format!("round {round}: not a URL: {reading:?}"));
            };
            let below = |path: &str| {
                path.strip_prefix(BASE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if url.host_str() != Some("upstream.test") || !below(url.path()) {
                return Some(format!("round {round}: {url}"));
            }
        }
        if joined.contains("//") {
            return Some(format!("round {round}: an empty segment"));
        }
        // How a server reads invalid UTF-8 is unknown, so it counts as an escape.
        match percent_decode_str(&text).decode_utf8() {
            Ok(decoded) => text = decoded.into_owned(),
            Err(_) => return Some(format!("round {round}: not UTF-8")),
        }
    }
    None
}

#[tokio::test]
async fn path_corpus_never_escapes_the_base_path() {
    let (upstream, app) = recorder_and_app().await;
    let mut wrong = Vec::new();
    let mut count = 0;
    for name in ["passes", "refused", "elsewhere"] {
        let targets = section(name);
        assert!(targets.len() >= 50, "{name}: {}", targets.len());
        for target in targets {
            let (status, received) = request_target(&app, &upstream, &target).await;
            let target = String::from_utf8_lossy(&target);
            count += 1;
            let as_expected = match name {
                "passes" => {
                    let asked = target.split('#').next().unwrap_or_default();
                    let expected = asked.replacen("/api/auth", BASE, 1);
                    status == 200 && received == [expected]
                }
                // The target is not below the base path, so no auth route serves it.
                "elsewhere" => (400..500).contains(&status) && received.is_empty(),
                _ => status == 400 && received.is_empty(),
            };
            if !as_expected {
                wrong.push(format!("{name} {target:?}: {status}, the upstream got {received:?}"));
            }
            wrong.extend(
                received.iter().filter_map(|path| find_escape(path).map(|how| format!("{target:?}: {how}"))),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 250, "{count}");
}

/// Combines every encoding of dots with every encoding of slashes.
#[tokio::test]
async fn encoded_dots_and_slashes_never_escape_the_base_path() {
    let (upstream, app) = recorder_and_app().await;
    let dots = [
        "..",
        ".",
        "%2e.",
        ".%2E",
        "%2e%2e",
        "%252e%252e",
        "%25%32%65.",
        "%%32%65.",
        "%c0%ae.",
        "%e0%80%ae.",
        "%uff0e.",
        "%ef%bc%8e.",
        "..;",
        "..;a",
        "..%3b",
        "..%00",
        ".%00.",
        "..%20",
        ".%09.",
        "..%3f",
        "..%23",
        "...",
        "x",
    ];
    let slashes = [
        "/",
        "//",
        "/./",
        "\\",
        "%2f",
        "%2F",
        "%5c",
        "%252f",
        "%255c",
        "%25%32%66",
        "%c0%af",
        "%e0%80%af",
        ";/",
        "%3b/",
        "/;/",
        "%00/",
        "/%2e/",
        "/x/",
    ];
    let (mut wrong, mut forwarded, mut count) = (Vec::new(), 0, 0);
    for dots in dots {
        for slash in slashes {
            for target in [
                format!("/api/auth/{dots}{slash}admin"),
                format!("/api/auth/x{slash}{dots}{slash}{dots}{slash}admin"),
                format!("/api/auth{slash}{dots}"),
            ] {
                let (status, received) = request_target(&app, &upstream, target.as_bytes()).await;
                count += 1;
                forwarded += received.len();
                if (status == 200) != (received.len() == 1) || received.len() > 1 {
                    wrong.push(format!("{target}: {status}, the upstream got {received:?}"));
                }
                wrong.extend(
                    received
                        .iter()
                        .filter_map(|path| find_escape(path).map(|how| format!("{target}: {how}"))),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Harmless targets are forwarded, so the test must see both outcomes.
    assert!(count > 1000 && forwarded > 30 && forwarded < count / 4, "{forwarded} of {count}");
}

/// A long target is forwarded completely or rejected, never cut.
#[tokio::test]
async fn long_targets_are_forwarded_whole_or_rejected() {
    let (upstream, app) = recorder_and_app().await;
    for (segment, times, status) in [
        ("/a", 1000, 200),
        ("/a", 20_000, 200),
        ("/a", 40_000, 414),
        ("/..", 10_000, 400),
        ("/%2e%2e", 5_000, 400),
    ] {
        let path = segment.repeat(times);
        let (answered, received) =
            request_target(&app, &upstream, format!("/api/auth{path}").as_bytes()).await;
        assert_eq!(answered, status, "{segment} {times}");
        let expected: &[String] = if status == 200 { &[format!("{BASE}{path}")] } else { &[] };
        assert!(received == expected, "{segment} {times}");
    }
    let deep = format!("/api/auth/{}", "%25".repeat(5_000));
    assert_eq!(request_target(&app, &upstream, deep.as_bytes()).await.0, 200);
    let cut = format!("/api/auth/{}%", "%25".repeat(5_000));
    assert_eq!(request_target(&app, &upstream, cut.as_bytes()).await, (400, vec![]));
}

/// Tests `find_escape` itself: if it missed escapes, the tests above could not fail.
#[test]
fn find_escape_detects_paths_outside_the_base_path() {
    for target in [
        "/tenant/auth/..",
        "/tenant/auth/%2e%2e",
        "/tenant/auth/..;/x",
        "/tenant/auth/%252e%252e/x",
        "/tenant/auth/..%5cx",
        "/tenant/auth/x%2f..%2f..",
        "/tenant/auth//x",
        "/tenant/authx",
        "/other",
        "/tenant/auth/%25%32%65./x",
        "/tenant/auth/%c0%ae./x",
        "/tenant/auth/..%3fx",
        "/tenant/auth/.%09./x",
        "/tenant/auth/..%20",
    ] {
        assert!(find_escape(target).is_some(), "{target}");
    }
    for target in
        ["/tenant/auth", "/tenant/auth/", "/tenant/auth/x?/../..", "/tenant/auth/...", "/tenant/auth/a%20b"]
    {
        assert_eq!(find_escape(target), None, "{target}");
    }
    assert!(find(CORPUS.as_bytes(), b"\r").is_none());
}
