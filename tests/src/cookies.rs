//! The names of the session cookie, and a check for `Set-Cookie` lines that clear it.

/// The name of Auth.js's session cookie over http.
pub const COOKIE_NAME: &str = "authjs.session-token";

/// The name of Auth.js's session cookie over https.
pub const SECURE_COOKIE_NAME: &str = "__Secure-authjs.session-token";

/// The name of Better Auth's session cookie over http.
pub const BETTER_AUTH_COOKIE_NAME: &str = "better-auth.session_token";

/// Whether this `Set-Cookie` clears the session cookie or a chunk of it.
pub fn clears_the_session(line: &str) -> bool {
    let rest = [COOKIE_NAME, BETTER_AUTH_COOKIE_NAME].iter().find_map(|name| line.strip_prefix(name));
    let Some(rest) = rest else { return false };
    let rest = match rest.strip_prefix('.') {
        Some(chunk) => chunk.trim_start_matches(|digit: char| digit.is_ascii_digit()),
        None => rest,
    };
    rest.starts_with("=;") || rest == "=" || rest.starts_with('=') && rest.contains("Max-Age=0")
}

#[test]
fn clears_the_session_detects_cleared_cookies_and_chunks() {
    for line in [
        "authjs.session-token=",
        "authjs.session-token.12=; Path=/",
        "better-auth.session_token=x; Max-Age=0",
    ] {
        assert!(clears_the_session(line), "{line}");
    }
    for line in ["authjs.session-token=x; Path=/", "authjs.session-tokens=", "authjs.csrf-token=; Max-Age=0"]
    {
        assert!(!clears_the_session(line), "{line}");
    }
}
