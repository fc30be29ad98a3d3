//! Checks paths in a configuration, and targets of redirects.

use crate::invalid_value::InvalidValue;

/// Checks a path option and removes a trailing `/`.
///
/// Only unreserved characters (RFC 3986, section 2.3) are allowed in segments, so that router, upstream and browser
/// read the path in the same way.
///
/// # Errors
/// When the text is no such path. The message names the first mistake.
pub fn path(text: &str) -> Result<String, InvalidValue> {
    if !text.starts_with('/') {
        return Err(InvalidValue::new("a path starts with `/`"));
    }
    let trimmed = text.strip_suffix('/').unwrap_or(text);
    if trimmed.is_empty() {
        return Err(InvalidValue::new("a path needs at least one segment, such as `/api/auth`"));
    }
    for segment in trimmed.split('/').skip(1) {
        match segment {
            "" => return Err(InvalidValue::with_part("a path has no empty segment", "//")),
            "." | ".." => return Err(InvalidValue::with_part("a path has no dot segment", segment)),
            _ => {}
        }
        if let Some(c) = segment.chars().find(|c| !is_unreserved(*c)) {
            let why = match c {
                '?' => "a path has no query",
                '#' => "a path has no fragment",
                '{' | '}' | '*' | ':' => "a path is literal, without parameters",
                '%' => "a path is written without percent-escapes",
                _ => "a path holds letters, digits, `-`, `.`, `_`, `~` and `/` only",
            };
            return Err(InvalidValue::with_part(why, c.to_string()));
        }
    }
    Ok(trimmed.to_owned())
}

fn is_unreserved(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~')
}

/// Whether a redirect target stays on this origin in every browser.
///
/// `//host` and `/\\host` lead to another host, even with a tab or line end in them: browsers remove those first
/// (WHATWG URL, "basic URL parser").
#[must_use]
pub fn is_local(target: &str) -> bool {
    target.starts_with('/')
        && !target.starts_with("//")
        && !target.contains('\\')
        && !target.bytes().any(|byte| byte.is_ascii_control())
}

/// Whether a path is this base path, or below it.
///
/// ```
/// use auth_proxy_rules::is_below;
///
/// assert!(is_below("/auth", "/auth") && is_below("/auth/session", "/auth"));
/// assert!(!is_below("/authors", "/auth") && !is_below("/", "/auth"));
/// ```
#[must_use]
pub fn is_below(path: &str, base: &str) -> bool {
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_option_loses_one_trailing_slash() {
        assert_eq!(path("/api/auth").as_deref(), Ok("/api/auth"));
        assert_eq!(path("/api/auth/").as_deref(), Ok("/api/auth"));
        assert_eq!(path("/a.b/~c_d-e").as_deref(), Ok("/a.b/~c_d-e"));
    }

    #[test]
    fn path_option_refuses_ambiguous_paths() {
        let bad = [
            "", "/", "//", "api", "/a//b", "/a/../b", "/a/.", "/a?b", "/a#b", "/{a}", "/a b", "/%2e%2e",
            "/a\\b", "/ä", "/a/*", "/:a", "/a//",
        ];
        for text in bad {
            assert!(path(text).is_err(), "{text}");
        }
    }

    #[test]
    fn path_below_a_base_path_begins_with_all_its_segments() {
        for (path, base, expected) in [
            ("/a/b", "/a/b", true),
            ("/a/b/", "/a/b", true),
            ("/a/b/c", "/a/b", true),
            ("/a/bc", "/a/b", false),
            ("/a", "/a/b", false),
            ("/x/a/b", "/a/b", false),
            ("/A/b", "/a/b", false),
        ] {
            assert_eq!(is_below(path, base), expected, "{path} {base}");
        }
    }

    #[test]
    fn is_local_refuses_targets_on_other_hosts() {
        assert!(is_local("/a?b=//c") && is_local("/"));
        for target in ["", "a", "//evil", "/\\evil", "/\t/evil", "https://evil", "/a\nb"] {
            assert!(!is_local(target), "{target:?}");
        }
    }
}
