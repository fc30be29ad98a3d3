//! Request smuggling cases: requests that two servers might split or read differently. [`LAST`] follows each of them on
//! the same connection.

/// The request after each case. It closes the connection.
pub(super) const LAST: &str = "GET /api/auth/last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// A request that the cases hide in the bytes of another request.
const HIDDEN: &str = "GET /api/auth/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";

pub(super) struct Case {
    pub(super) bytes: Vec<u8>,
    /// The statuses of all responses. The last one belongs to [`LAST`], unless the connection was closed before.
    pub(super) statuses: Vec<u16>,
    /// The requests that the upstream receives: method, target and body.
    pub(super) forwarded: Vec<String>,
}

fn case(bytes: impl Into<Vec<u8>>, statuses: &[u16], forwarded: &[&str]) -> Case {
    let forwarded = forwarded.iter().map(|&line| line.to_owned()).collect();
    Case { bytes: bytes.into(), statuses: statuses.to_vec(), forwarded }
}

/// The request is rejected and nothing is forwarded. The connection is closed, since the rest of it is ambiguous.
fn rejected(bytes: impl Into<Vec<u8>>, status: u16) -> Case {
    case(bytes, &[status], &[])
}

/// A POST request with these headers, followed by these bytes.
fn post(headers: &str, rest: &str) -> String {
    format!("POST /api/auth/callback/x HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{rest}")
}

/// The POST is forwarded with this body. Then the connection is closed, or it serves the last request.
fn forwarded(bytes: impl Into<Vec<u8>>, body: &str, then_closes: bool) -> Case {
    let post = format!("POST /api/auth/callback/x | {body}");
    match then_closes {
        true => case(bytes, &[200], &[&post]),
        false => case(bytes, &[200, 200], &[&post, "GET /api/auth/last | "]),
    }
}

fn forwarded_then_closed(bytes: impl Into<Vec<u8>>, body: &str) -> Case {
    forwarded(bytes, body, true)
}

fn forwarded_kept_alive(bytes: impl Into<Vec<u8>>, body: &str) -> Case {
    forwarded(bytes, body, false)
}

/// Requests with `Content-Length` and `Transfer-Encoding`. Either the latter counts and the connection is closed after
/// the request (RFC 9112, section 6.1), or the request is rejected.
pub(super) fn conflicting_framings() -> Vec<Case> {
    let chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    let empty_then_hidden = format!("0\r\n\r\n{HIDDEN}");
    let length = format!("Content-Length: {}\r\n", empty_then_hidden.len());
    let both = |coding: &str| post(&format!("{length}{coding}"), &empty_then_hidden);
    let mut cases = vec![
        forwarded_then_closed(both("Transfer-Encoding: chunked\r\n"), ""),
        forwarded_then_closed(post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", &chunk), HIDDEN),
        forwarded_then_closed(post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", &chunk), HIDDEN),
        forwarded_then_closed(
            post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n", &chunk),
            HIDDEN,
        ),
        forwarded_then_closed(post("Transfer-Encoding: chunked\r\nContent-Length: x\r\n", &chunk), HIDDEN),
        rejected(post("Content-Length: x\r\nTransfer-Encoding: chunked\r\n", &chunk), 400),
    ];
    // Spellings that servers read differently.
    for coding in [
        "transfer-encoding: CHUNKED",
        "Transfer-Encoding:chunked",
        "Transfer-Encoding:\tchunked\t ",
        "Transfer-Encoding: ,chunked",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\nX: y",
    ] {
        cases.push(forwarded_then_closed(both(&format!("{coding}\r\n")), ""));
    }
    for coding in [
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        " Transfer-Encoding: chunked",
        "\tTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunkedx",
        "Transfer-Encoding: x chunked",
        "Transfer-Encoding: chunked x",
        "Transfer-Encoding: \u{b}chunked",
        "Transfer-Encoding: chunked\u{c}",
        "Transfer-Encoding: \u{7f}chunked",
        "Transfer-Encoding: \u{a0}chunked",
        "Transfer-Encoding: chun\u{212a}ed",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: 'chunked'",
        "Transfer-Encoding: [chunked]",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked,",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: cow",
        "Transfer-Encoding:",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: chunked\r\n , identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
        "Transfer-Encoding\0: chunked",
        "Transfer-Encoding: chunked\0",
        "Transfer-Encoding: chunked\rX: y",
        "X: y\rTransfer-Encoding: chunked",
        "X: y\r\n\rTransfer-Encoding: chunked",
        "Transfer-Encoding",
        "\u{feff}Transfer-Encoding: chunked",
        ": chunked",
    ] {
        cases.push(rejected(both(&format!("{coding}\r\n")), 400));
    }
    // Similar header names do not affect the body length.
    for other in ["Transfer_Encoding: chunked", "Transfer-Encodin: chunked", "Content-Encoding: chunked"] {
        cases.push(forwarded_kept_alive(both(&format!("{other}\r\n")), &empty_then_hidden));
    }
    cases
}

/// Valid, invalid and repeated `Content-Length` headers.
pub(super) fn content_lengths() -> Vec<Case> {
    let with = |lengths: &str| post(lengths, "hello");
    let mut cases = vec![
        forwarded_kept_alive(with("Content-Length: 5\r\n"), "hello"),
        forwarded_kept_alive(with("content-length:5 \r\n"), "hello"),
        forwarded_kept_alive(with("Content-Length: 5\r\nContent-Length: 5\r\n"), "hello"),
        forwarded_kept_alive(with("Content-Length: 000000000000000000000005\r\n"), "hello"),
        // Without a length there is no body (RFC 9112, section 6.3), so the next bytes are a request.
        case(
            post("Content_Length: 99\r\n", HIDDEN),
            &[200, 200, 200],
            &["POST /api/auth/callback/x | ", "GET /api/auth/hidden | ", "GET /api/auth/last | "],
        ),
        // A valid length beyond `upstream.body_limit`.
        rejected(with("Content-Length: 99999999\r\n"), 413),
        rejected(with("Content-Length: 9223372036854775807\r\n"), 413),
        // The announced body never arrives.
        rejected(with("Content-Length: 5000\r\n"), 408),
    ];
    for lengths in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: -0\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5.0\r\n",
        "Content-Length: 5e0\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: 5;\r\n",
        "Content-Length: 5\u{b}\r\n",
        "Content-Length: \u{665}\r\n",
        "Content-Length: \"5\"\r\n",
        "Content-Length: \r\n",
        "Content-Length:\r\n 5\r\n",
        "Content-Length : 5\r\n",
        " Content-Length: 5\r\n",
        "Content-Length: 5\0\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 36893488147419103237\r\n",
    ] {
        cases.push(rejected(with(lengths), 400));
    }
    cases
}

/// Valid and malformed chunks (RFC 9112, section 7.1).
pub(super) fn chunked_bodies() -> Vec<Case> {
    let with = |chunks: &str| post("Transfer-Encoding: chunked\r\n", chunks);
    let end = "0\r\n\r\n";
    let mut cases = Vec::new();
    for chunks in [
        "5\r\nhello\r\n",
        "2\r\nhe\r\n3\r\nllo\r\n",
        "5;name=value\r\nhello\r\n",
        "5;name=\"0\"\r\nhello\r\n",
        "5 \r\nhello\r\n",
        "0005\r\nhello\r\n",
    ] {
        cases.push(forwarded_kept_alive(with(&format!("{chunks}{end}")), "hello"));
    }
    for trailers in [
        "Content-Length: 44\r\n",
        "Host: evil.example\r\n",
        "Cookie: authjs.session-token=tossed\r\n",
        "X-Api-Key: forged\r\n",
        "Transfer-Encoding: identity\r\n",
        "X-Forwarded-Host: evil.example\r\n",
        "Connection: x-api-key\r\n",
    ] {
        let chunks = format!("5\r\nhello\r\n0\r\n{trailers}\r\n");
        cases.push(forwarded_kept_alive(with(&chunks), "hello"));
        let name = trailers.split(':').next().unwrap_or_default();
        cases.push(forwarded_kept_alive(
            post(&format!("Transfer-Encoding: chunked\r\nTE: trailers\r\nTrailer: {name}\r\n"), &chunks),
            "hello",
        ));
    }
    for chunks in [
        "-5\r\nhello\r\n",
        "+5\r\nhello\r\n",
        "0x5\r\nhello\r\n",
        " 5\r\nhello\r\n",
        "\r\nhello\r\n",
        "g\r\nhello\r\n",
        "5\nhello\r\n",
        "5\rhello\r\n",
        "5;a\nb\r\nhello\r\n",
        "5;a=\"\r\n\"\r\nhello\r\n",
        "5\r\nhello",
        "5\r\nhello\n",
        "5\r\nhelloX\r\n",
        "5\r\nhell\r\n",
        "5 5\r\nhello\r\n",
        "5\0\r\nhello\r\n",
        "10000000000000005\r\nhello\r\n",
        "fffffffffffffffff\r\nhello\r\n",
        "\u{ff15}\r\nhello\r\n",
    ] {
        cases.push(rejected(with(&format!("{chunks}{end}")), 400));
    }
    for ending in
        ["0\r\nX : y\r\n\r\n", "0\r\n folded: y\r\n\r\n", "0\r\nno header\r\n\r\n", "0\r\n\rX\r\n\r\n"]
    {
        cases.push(rejected(with(&format!("5\r\nhello\r\n{ending}")), 400));
    }
    // The last chunk is missing, so the bytes of the last request are read as a malformed chunk.
    cases.push(rejected(with("5\r\nhel"), 400));
    cases.push(rejected(with("5\r\nhello\r\n"), 400));
    cases.push(rejected(with("fffffff\r\nhello\r\n"), 408));
    cases
}

/// Valid, unusual and malformed request lines.
pub(super) fn request_lines() -> Vec<Case> {
    let get = |line: &str| format!("{line}\r\nHost: localhost\r\n\r\n");
    let rejected_line = |line: &str, status: u16| rejected(get(line), status);
    let status_then_last =
        |line: &str, status: u16| case(get(line), &[status, 200], &["GET /api/auth/last | "]);
    let mut cases = vec![
        status_then_last("GET http://localhost/api/auth/x HTTP/1.1", 400),
        status_then_last("GET http://evil.example/api/auth/x HTTP/1.1", 400),
        status_then_last("GET localhost:80 HTTP/1.1", 404),
        status_then_last("OPTIONS * HTTP/1.1", 404),
        status_then_last("GET * HTTP/1.1", 404),
        status_then_last("get /api/auth/session HTTP/1.1", 405),
        status_then_last("GETT /api/auth/session HTTP/1.1", 405),
        status_then_last("TRACE /api/auth/x HTTP/1.1", 405),
        status_then_last("CONNECT /api/auth/x HTTP/1.1", 405),
        rejected_line(&format!("GET /api/auth/{} HTTP/1.1", "a".repeat(66_000)), 414),
        // A method is any token and case-sensitive (RFC 9110, section 9.1), so `get` is forwarded.
        case(get("get /api/auth/x HTTP/1.1"), &[200, 200], &["get /api/auth/x | ", "GET /api/auth/last | "]),
        // Empty lines before the request line, and lines that end with LF alone (RFC 9112, section 2.2).
        case(
            format!("\r\n\r\n{}", get("GET /api/auth/x HTTP/1.1")),
            &[200, 200],
            &["GET /api/auth/x | ", "GET /api/auth/last | "],
        ),
        case(
            get("GET /api/auth/x HTTP/1.1").replace("\r\n", "\n"),
            &[200, 200],
            &["GET /api/auth/x | ", "GET /api/auth/last | "],
        ),
        // Two valid requests on one connection.
        case(
            format!("{HIDDEN}{HIDDEN}"),
            &[200, 200, 200],
            &["GET /api/auth/hidden | ", "GET /api/auth/hidden | ", "GET /api/auth/last | "],
        ),
        case(get("GET /api/auth/x HTTP/1.0"), &[200], &["GET /api/auth/x | "]),
        rejected(
            "POST /api/auth/callback/x HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        case(
            format!(
                "GET /api/auth/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{HIDDEN}",
                HIDDEN.len()
            ),
            &[200, 200],
            &[&format!("GET /api/auth/x | {HIDDEN}"), "GET /api/auth/last | "],
        ),
    ];
    for bad in [
        "GET  /api/auth/x HTTP/1.1",
        "GET /api/auth/x  HTTP/1.1",
        "GET /api/auth/x HTTP/1.1 ",
        "GET\t/api/auth/x\tHTTP/1.1",
        " GET /api/auth/x HTTP/1.1",
        "GET /api/auth/x y HTTP/1.1",
        "GET /api/auth/x HTTP/1.1 HTTP/1.1",
        "GET /api/auth/x",
        "GET /api/auth/x HTTP/1.2",
        "GET /api/auth/x HTTP/0.9",
        "GET /api/auth/x HTTP/2.0",
        "GET /api/auth/x HTTP/1.1x",
        "GET /api/auth/x http/1.1",
        "GET /api/auth/x\0 HTTP/1.1",
        "GET /api/auth/x\u{b} HTTP/1.1",
        "GET /api/auth/x\rHTTP/1.1",
        "GET /api/auth/x\nHTTP/1.1",
        "GE(T /api/auth/x HTTP/1.1",
        "GET api/auth/x HTTP/1.1",
        "PRI * HTTP/2.0",
        "\u{16}\u{3}\u{1}\u{2}",
    ] {
        cases.push(rejected_line(bad, 400));
    }
    cases
}

/// Connection headers and malformed headers.
pub(super) fn headers() -> Vec<Case> {
    let with = |headers: &str| post(&format!("{headers}Content-Length: 5\r\n"), "hello");
    let mut cases = Vec::new();
    for headers in [
        "Connection: Cookie, Host, X-Api-Key, X-Forwarded-For, X-Forwarded-Host, Forwarded\r\nCookie: a=b\r\n",
        "Connection: Content-Length, Transfer-Encoding\r\n",
        "Connection: keep-alive, keep-alive, x\r\nX: y\r\n",
        "Connection: \r\nConnection: ,,, ,\r\n",
        "Connection: \"x-api-key\", (host), Content-Length;x\r\n",
        "Keep-Alive: timeout=9\r\nProxy-Connection: close\r\nTE: trailers, deflate\r\nTrailer: Host\r\n",
        "Proxy-Authorization: Basic eDp5\r\nProxy-Authenticate: Basic\r\n",
        "HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Connection: HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Expect: 200-nothing\r\n",
        "X-Api-Key: forged\r\nx-api-key: forged too\r\n",
        "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n",
        "X_Forwarded_For: 9.9.9.9\r\nX-Forwarded_Host: evil.example\r\nX_Real-IP: 9.9.9.9\r\n",
    ] {
        cases.push(forwarded_kept_alive(with(headers), "hello"));
    }
    cases.push(case(
        with("Expect: 100-continue\r\n"),
        &[100, 200, 200],
        &["POST /api/auth/callback/x | hello", "GET /api/auth/last | "],
    ));
    for headers in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n",
        "Upgrade: h2c\r\n",
        "Upgrade: \r\n",
        "Host: localhost\r\n",
        "Host: evil.example\r\n",
    ] {
        cases.push(case(with(headers), &[400, 200], &["GET /api/auth/last | "]));
    }
    for headers in [
        "X: a\r\n folded\r\n",
        "X: a\r\n\tfolded\r\n",
        "X: a\0b\r\n",
        "X: a\rb\r\n",
        "X: a\u{7f}b\r\n",
        "X : y\r\n",
        "X\t: y\r\n",
        "X y: z\r\n",
        ": y\r\n",
        "no header\r\n",
        "X(y): z\r\n",
        "\u{e9}: y\r\n",
        "X\0: y\r\n",
    ] {
        cases.push(rejected(with(headers), 400));
    }
    cases
}
