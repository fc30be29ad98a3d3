//! Which phase a source file belongs to.

/// The phase of what no other name fits: code without line tables, such as that of the C library.
pub(super) const OTHER: &str = "other";
/// Functions of the C library that allocate and free.
pub(super) const ALLOCATION: &str = "allocation";
/// The fingerprint of a token, a MAC of aws-lc. A request whose token is known needs no other cryptography.
const FINGERPRINT: &str = "fingerprint";
/// Functions of the C library that copy and compare bytes.
pub(super) const BYTES: &str = "copied and compared bytes";

/// Parts of paths, and the phase of the files whose path has that part. The first that fits counts.
const PHASES: [(&str, &str); 57] = [
    ("auth-proxy/src/proxy/plan", "plan"),
    ("auth-proxy/src/proxy/path", "plan"),
    ("auth-proxy/src/proxy/callback_url", "plan"),
    ("auth-proxy/src/proxy/foreign_origin", "plan"),
    ("auth-proxy/src/proxy/sign_in_limit", "plan"),
    ("auth-proxy/src/proxy/revoke", "plan"),
    ("auth-proxy/src/proxy/client_js", "plan"),
    ("auth-proxy/src/dialect", "plan"),
    ("auth-proxy/src/path", "plan"),
    ("auth-proxy/src/cross_origin", "plan"),
    ("auth-proxy/src/page", "plan"),
    ("auth-proxy/src/provider", "plan"),
    ("auth-proxy-rules", "plan"),
    ("auth-proxy/src/revocation", "plan"),
    ("auth-proxy/src/proxy/request", "request head"),
    ("auth-proxy/src/forwarded", "request head"),
    ("auth-proxy/src/upstream/head", "request head"),
    ("auth-proxy/src/upstream/via", "request head"),
    ("auth-proxy/src/upstream/address", "request head"),
    ("auth-proxy/src/proxy/answer", "response head"),
    ("auth-proxy/src/proxy/cors", "response head"),
    ("auth-proxy/src/proxy/foreign_urls", "response head"),
    ("auth-proxy/src/proxy/location", "response head"),
    ("auth-proxy/src/proxy/session_check", "response head"),
    ("auth-proxy/src/cookie", "cookies"),
    ("auth-proxy/src/cache_control", "response head"),
    ("auth-proxy/src/upstream/admission", "admission"),
    ("/tokio/src/sync/", "admission"),
    ("auth-proxy/src/upstream/breaker", "breaker and retries"),
    ("auth-proxy/src/upstream/retry", "breaker and retries"),
    ("auth-proxy/src/upstream/kept", "breaker and retries"),
    ("auth-proxy/src/upstream/assessment", "breaker and retries"),
    ("auth-proxy/src/upstream/health", "breaker and retries"),
    ("auth-proxy/src/upstream/failure_log", "breaker and retries"),
    ("/tower/src/retry/", "breaker and retries"),
    ("auth-proxy/src/upstream/idle", "timers"),
    ("/tokio/src/time/", "timers"),
    ("/tokio/src/runtime/time/", "timers"),
    ("auth-proxy/src/telemetry", "tracing"),
    ("/tracing", "tracing"),
    ("auth-proxy/src/upstream/client", "client"),
    ("auth-proxy/src/upstream", "sending"),
    ("auth-proxy/src/proxy", "forwarding"),
    ("auth-proxy/src/testing", "client"),
    ("auth-proxy/src/fingerprint", FINGERPRINT),
    ("/aws-lc", FINGERPRINT),
    ("auth-proxy/src/token", "tokens in memory"),
    ("/quick_cache", "tokens in memory"),
    ("auth-proxy/src/session", "sessions in memory"),
    ("auth-proxy/src/guard", "guard"),
    ("auth-proxy/src/extract", "extractors"),
    ("/http/src/", "header map and URI"),
    ("/hyper", "HTTP/1"),
    ("/httparse", "HTTP/1"),
    ("/tokio/", "runtime"),
    ("/mio/", "runtime"),
    ("/axum", "router"),
];

/// The phase of a source file.
pub(super) fn of_file(path: &str) -> Option<&'static str> {
    let path = without_version(path);
    PHASES
        .iter()
        .find(|(part, _)| path.contains(part))
        .map(|(_, phase)| *phase)
        .or_else(|| ["/tower", "/matchit"].iter().any(|part| path.contains(part)).then_some("router"))
}

/// Whether a file belongs to the standard library, whose code is a part of what calls it.
pub(super) fn is_std(path: &str) -> bool {
    path.contains("/library/") && path.contains("rustc")
}

/// The phase of a function that has no source file.
pub(super) fn of_function(name: &str) -> &'static str {
    let any = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if any(&["aws_lc", "gcm_", "aes_"]) {
        FINGERPRINT
    } else if any(&["malloc", "free", "calloc", "realloc", "_int_", "tcache"]) {
        ALLOCATION
    } else if any(&["memcpy", "memmove", "memset", "memcmp", "bcmp"]) {
        BYTES
    } else {
        OTHER
    }
}

/// `/hyper-1.12.0/src/lib.rs` as `/hyper/src/lib.rs`.
fn without_version(path: &str) -> String {
    let is_version = |tail: &str| tail.starts_with(|first: char| first.is_ascii_digit());
    let part = |part: &str| match part.rsplit_once('-') {
        Some((name, tail)) if is_version(tail) => name.to_owned(),
        _ => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_the_phase_of_their_room_or_crate() {
        for (path, phase) in [
            ("/project/auth-proxy/src/proxy/plan.rs", Some("plan")),
            ("/project/auth-proxy/src/proxy/forward.rs", Some("forwarding")),
            ("/registry/hyper-1.12.0/src/proto/h1/role.rs", Some("HTTP/1")),
            ("/registry/http-1.5.0/src/header/map.rs", Some("header map and URI")),
            ("/registry/tokio-1.54.1/src/runtime/time/wheel/mod.rs", Some("timers")),
            ("/registry/tokio-1.54.1/src/runtime/park.rs", Some("runtime")),
            ("/registry/tracing-core-0.1.36/src/dispatcher.rs", Some("tracing")),
            ("/rustc/59807616e/library/core/src/str/mod.rs", None),
        ] {
            assert_eq!(of_file(path), phase, "{path}");
        }
        assert!(is_std("/rustc/59807616e/library/core/src/str/mod.rs"));
        assert_eq!(
            [of_function("_int_malloc"), of_function("__memcpy_avx"), of_function("x")],
            [ALLOCATION, BYTES, OTHER]
        );
    }
}
