//! A path below the base path stays below it at the upstream, however the upstream decodes it.

use auth_proxy_tests::App;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::http1::{Recorder, exchange, find};
use crate::support::{Auth, app_of};

const CORPUS: &str = include_str!("../../corpus/paths.txt");

/// The base path of the sign-in routes at the upstream.
const BASE: &str = "/tenant/auth";

async fn stage() -> (Recorder, App) {
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
    lines.map(bytes).collect()
}

fn bytes(line: &str) -> Vec<u8> {
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

/// Requests exactly this target. Returns the status and the targets that the upstream received.
async fn ask(app: &App, upstream: &Recorder, target: &[u8]) -> (u16, Vec<String>) {
    let request = [b"GET ", target, b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"].concat();
    let answers = exchange(app.addr, &request).await;
    assert_eq!(answers.len(), 1, "{:?}", String::from_utf8_lossy(target));
    let seen = upstream.take();
    assert_eq!(seen.faults, [""; 0], "{:?}", String::from_utf8_lossy(target));
    let targets = seen.requests.iter().map(|request| {
        let line = request.start.strip_prefix("GET ").and_then(|line| line.strip_suffix(" HTTP/1.1"));
        line.unwrap_or_else(|| panic!("asked as {:?}", request.start)).to_owned()
    });
    (answers[0].status(), targets.collect())
}

/// How some server could read this target as a path outside of the base path. Tries the rules of browsers (WHATWG URL),
/// up to three rounds of decoding, backslashes as slashes, joined slashes, and cut parameters.
fn escapes(target: &str) -> Option<String> {
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
    let (upstream, app) = stage().await;
    let mut wrong = Vec::new();
    let mut count = 0;
    for name in ["passes", "refused", "elsewhere"] {
        let targets = section(name);
        assert!(targets.len() >= 50, "{name}: {}", targets.len());
        for target in targets {
            let (status, up) = ask(&app, &upstream, &target).await;
            let target = String::from_utf8_lossy(&target);
            count += 1;
            let as_expected = match name {
                "passes" => {
                    let asked = target.split('#').next().unwrap_or_default();
                    let expected = asked.replacen("/api/auth", BASE, 1);
                    status == 200 && up == [expected]
                }
                // The target is not below the base path at all.
                "elsewhere" => (400..500).contains(&status) && up.is_empty(),
                _ => status == 400 && up.is_empty(),
            };
            if !as_expected {
                wrong.push(format!("{name} {target:?}: {status}, the upstream got {up:?}"));
            }
            wrong.extend(up.iter().filter_map(|up| escapes(up).map(|how| format!("{target:?}: {how}"))));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 250, "{count}");
}

/// Every spelling of dots with every spelling of slashes.
#[tokio::test]
async fn encoded_dots_and_slashes_never_escape_the_base_path() {
    let (upstream, app) = stage().await;
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
                let (status, up) = ask(&app, &upstream, target.as_bytes()).await;
                count += 1;
                forwarded += up.len();
                if (status == 200) != (up.len() == 1) || up.len() > 1 {
                    wrong.push(format!("{target}: {status}, the upstream got {up:?}"));
                }
                wrong.extend(up.iter().filter_map(|up| escapes(up).map(|how| format!("{target}: {how}"))));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Harmless spellings are forwarded, so both outcomes must occur.
    assert!(count > 1000 && forwarded > 30 && forwarded < count / 4, "{forwarded} of {count}");
}

/// A long target is forwarded completely or rejected, never cut.
#[tokio::test]
async fn long_targets_are_forwarded_whole_or_rejected() {
    let (upstream, app) = stage().await;
    for (segment, times, status) in [
        ("/a", 1000, 200),
        ("/a", 20_000, 200),
        ("/a", 40_000, 414),
        ("/..", 10_000, 400),
        ("/%2e%2e", 5_000, 400),
    ] {
        let path = segment.repeat(times);
        let (answered, up) = ask(&app, &upstream, format!("/api/auth{path}").as_bytes()).await;
        assert_eq!(answered, status, "{segment} {times}");
        let expected: &[String] = if status == 200 { &[format!("{BASE}{path}")] } else { &[] };
        assert!(up == expected, "{segment} {times}");
    }
    let deep = format!("/api/auth/{}", "%25".repeat(5_000));
    assert_eq!(ask(&app, &upstream, deep.as_bytes()).await.0, 200);
    let cut = format!("/api/auth/{}%", "%25".repeat(5_000));
    assert_eq!(ask(&app, &upstream, cut.as_bytes()).await, (400, vec![]));
}

/// Tests `escapes` itself: without detection the tests above would prove nothing.
#[test]
fn escape_detector_detects_escapes() {
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
        assert!(escapes(target).is_some(), "{target}");
    }
    for target in
        ["/tenant/auth", "/tenant/auth/", "/tenant/auth/x?/../..", "/tenant/auth/...", "/tenant/auth/a%20b"]
    {
        assert_eq!(escapes(target), None, "{target}");
    }
    assert!(find(CORPUS.as_bytes(), b"\r").is_none());
}
