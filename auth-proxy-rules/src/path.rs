use crate::Bad;

/// Checks a path option and takes a trailing `/` off.
///
/// Segments hold unreserved characters (RFC 3986, section 2.3) only, so that the path means the
/// same to the router, to the upstream and to the browser.
///
/// # Errors
/// Names the first thing that is wrong.
pub fn path(text: &str) -> Result<String, Bad> {
    if !text.starts_with('/') {
        return Err(Bad::new("a path starts with `/`"));
    }
    let trimmed = text.strip_suffix('/').unwrap_or(text);
    if trimmed.is_empty() {
        return Err(Bad::new("a path needs at least one segment, such as `/api/auth`"));
    }
    for segment in trimmed.split('/').skip(1) {
        match segment {
            "" => return Err(Bad::part("a path has no empty segment", "//")),
            "." | ".." => return Err(Bad::part("a path has no dot segment", segment)),
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
            return Err(Bad::part(why, c.to_string()));
        }
    }
    Ok(trimmed.to_owned())
}

fn is_unreserved(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~')
}

/// Whether a target is a path of this origin in every browser's reading: `//host` and `/\\host` are other
/// hosts, and so is either with a tab in it, since browsers take tabs and line ends out first (WHATWG URL,
/// "basic URL parser").
#[must_use]
pub fn is_local(target: &str) -> bool {
    target.starts_with('/')
        && !target.starts_with("//")
        && !target.contains('\\')
        && !target.bytes().any(|byte| byte.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_good_paths_and_trims_one_slash() {
        assert_eq!(path("/api/auth").as_deref(), Ok("/api/auth"));
        assert_eq!(path("/api/auth/").as_deref(), Ok("/api/auth"));
        assert_eq!(path("/a.b/~c_d-e").as_deref(), Ok("/a.b/~c_d-e"));
    }

    #[test]
    fn refuses_what_could_leave_or_confuse() {
        let bad = [
            "", "/", "//", "api", "/a//b", "/a/../b", "/a/.", "/a?b", "/a#b", "/{a}", "/a b", "/%2e%2e",
            "/a\\b", "/ä", "/a/*", "/:a", "/a//",
        ];
        for text in bad {
            assert!(path(text).is_err(), "{text}");
        }
    }
}
