//! The ways in which a service may read a path.

use auth_proxy_rules::fold;
use percent_encoding::percent_decode_str;

use crate::path;

/// A path as one kind of service reads it: its segments, percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) segments: Vec<String>,
    /// Whether upper and lower case are the same, as in Express and on Windows.
    pub(super) folds: bool,
}

impl Reading {
    /// Whether it is this path, or one below it. `base` is a plain path, without escapes.
    pub(super) fn is_at(&self, base: &str) -> bool {
        let mut own = self.segments.iter();
        let is_same =
            |segment: &str, own: &String| if self.folds { *own == fold(segment) } else { own == segment };
        base.split('/').skip(1).all(|segment| own.next().is_some_and(|own| is_same(segment, own)))
    }
}

/// Another way to read the segments of a path. `None` for a path that must be refused.
type Change = fn(&[String]) -> Option<Vec<String>>;

/// Every way in which a service may read a raw path. `None` for a path that is dangerous in itself: dot and empty segments,
/// backslashes, control characters, broken or repeated escapes.
///
/// Services differ in whether they
/// - end the path at an encoded `?` or `#`, because they decode it too early,
/// - end it at a `;`, as Fastify 4 and restify do (`find-my-way`, `useSemicolonDelimiter`),
/// - take an encoded slash as one,
/// - remove parameters (`;jsessionid=1`, as Java servers do) and, as Windows does, dots and spaces at the end of a segment,
/// - tell upper from lower case.
pub(super) fn readings(path: &str) -> Option<Vec<Reading>> {
    let raw = path.strip_prefix('/')?;
    // A `/` at the end does not matter.
    let raw = raw.strip_suffix('/').unwrap_or(raw);
    let plain: Vec<String> = if raw.is_empty() {
        // `//` is not `/`.
        (path == "/").then(Vec::new)?
    } else {
        raw.split('/').map(|segment| Some(path::text(segment)?.into_owned())).collect::<Option<_>>()?
    };
    let mut found = vec![plain];
    let changes: [Change; 4] = [|path| cut(path, &['?', '#']), |path| cut(path, &[';']), split, strip];
    for change in changes {
        for at in 0..found.len() {
            let changed = change(found.get(at)?)?;
            if !found.contains(&changed) {
                found.push(changed);
            }
        }
    }
    let folded = |segments: &Vec<String>| segments.iter().map(|segment| fold(segment)).collect();
    let folded: Vec<_> =
        found.iter().map(|segments| Reading { segments: folded(segments), folds: true }).collect();
    Some(found.into_iter().map(|segments| Reading { segments, folds: false }).chain(folded).collect())
}

/// Whether some server resolves a raw path to another one: whether it has a dot segment, plain or percent-encoded, also
/// between encoded slashes and backslashes.
pub(super) fn has_dot_segment(path: &str) -> bool {
    let name = |segment: &str| segment.split([';', '?', '#']).next().unwrap_or_default().trim().to_owned();
    let has_dots =
        |text: &str| text.split(['/', '\\']).any(|segment| matches!(name(segment).as_str(), "." | ".."));
    let once = decode(path);
    has_dots(path) || has_dots(&once) || has_dots(&decode(&once))
}

/// A path as a server reads it that resolves all it can: it decodes twice, takes backslashes as slashes, and removes empty
/// segments, dot segments, parameters, and dots and white space at the end of a segment.
pub(super) fn resolved(path: &str) -> Reading {
    let mut segments = Vec::new();
    for segment in decode(&decode(path)).split(['/', '\\']) {
        let is_blank = |c: char| c.is_whitespace() || c.is_control();
        match segment.split([';', '?', '#']).next().unwrap_or_default().trim_matches(is_blank) {
            ".." => drop(segments.pop()),
            name => match name.trim_end_matches(|c: char| c == '.' || is_blank(c)) {
                "" => {}
                name => segments.push(fold(name)),
            },
        }
    }
    Reading { segments, folds: true }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Ends the path at the first of these characters.
fn cut(segments: &[String], ends: &[char]) -> Option<Vec<String>> {
    let mut kept = Vec::with_capacity(segments.len());
    for segment in segments {
        match segment.find(ends) {
            None => kept.push(segment.clone()),
            Some(0) => return Some(kept),
            Some(end) => {
                kept.push(segment.get(..end)?.to_owned());
                return Some(kept);
            }
        }
    }
    Some(kept)
}

/// Takes each slash in a segment as the end of the segment.
fn split(segments: &[String]) -> Option<Vec<String>> {
    Some(segments.iter().flat_map(|segment| segment.split('/')).map(str::to_owned).collect())
}

/// Removes parameters, and dots and white space at the end of a segment. `None` if nothing remains of a segment, which may
/// be read as an empty one.
fn strip(segments: &[String]) -> Option<Vec<String>> {
    let stripped = |segment: &String| {
        let name = segment.split(';').next().unwrap_or_default();
        let name = name.trim_start().trim_end_matches(|c: char| c == '.' || c.is_whitespace());
        (!name.is_empty()).then(|| name.to_owned())
    };
    segments.iter().map(stripped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The readings that tell upper from lower case.
    fn read(path: &str) -> Option<Vec<String>> {
        let readings = readings(path)?;
        let exact = readings.iter().filter(|reading| !reading.folds);
        Some(exact.map(|reading| reading.segments.join(" | ")).collect())
    }

    #[test]
    fn path_has_each_reading_that_differs() {
        for (path, expected) in [
            ("/", &[""][..]),
            ("/a/b/", &["a | b"]),
            ("/a%20b/%C3%A4", &["a b | ä"]),
            ("/c%23/x", &["c# | x", "c"]),
            ("/%3Fa", &["?a", ""]),
            ("/a%2Fb", &["a/b", "a | b"]),
            ("/admin;x=1/b", &["admin;x=1 | b", "admin", "admin | b"]),
            ("/a;b/c", &["a;b | c", "a", "a | c"]),
            ("/a%2Fb;c", &["a/b;c", "a/b", "a | b;c", "a | b"]),
            ("/a;b%3Fc", &["a;b?c", "a;b", "a"]),
            ("/admin.", &["admin.", "admin"]),
            ("/admin%20", &["admin ", "admin"]),
            ("/.well-known/a.b", &[".well-known | a.b"]),
        ] {
            assert_eq!(read(path).unwrap(), expected, "{path}");
        }
        assert_eq!(readings("/Ab").unwrap().last().unwrap().segments, ["ab"]);
    }

    #[test]
    fn path_below_another_one_is_found_in_every_spelling() {
        let is_at = |path: &str| readings(path).unwrap().iter().any(|reading| reading.is_at("/Api/auth"));
        for path in [
            "/Api/auth",
            "/Api/auth/",
            "/Api/auth/a/b",
            "/API/AUTH/a",
            "/api%2fauth/a",
            "/Api;x/auth;y/a",
            "/Api/auth./a",
            "/Api/auth%3Fa",
        ] {
            assert!(is_at(path), "{path}");
        }
        for path in ["/", "/Api", "/Api/authors", "/auth", "/x/Api/auth", "/Api/x/auth"] {
            assert!(!is_at(path), "{path}");
        }
    }

    #[test]
    fn dot_segments_are_found_in_every_spelling() {
        for path in [
            "/..",
            "/./a",
            "/a/..%2fb",
            "/%2e%2E/a",
            "/%252e%252e/a",
            "/a\\..\\b",
            "/a%5c.%5cb",
            "/..;x/a",
            "/..%3Fx",
            "/%20../a",
        ] {
            assert!(has_dot_segment(path), "{path}");
        }
        for path in ["/", "//a", "/a//b", "/...", "/.a", "/a.", "/a..b", "/%2e%2ea", "/100%", "/%ff", "/a%00"]
        {
            assert!(!has_dot_segment(path), "{path}");
        }
    }

    #[test]
    fn path_is_resolved_as_far_as_any_server_would() {
        for path in [
            "/Api/auth/x",
            "//api//auth/x",
            "/./api/%2e/auth/x",
            "/y/../api/auth/x",
            "/y/..%2fapi/auth/x",
            "/y/..;/api;z/auth/x",
            "/y/%252e%252e/api/auth/x",
            "\\api\\auth\\x",
            "/api%5cauth/x",
            "/api./auth%20/x",
            "/api%00/auth/x",
        ] {
            assert_eq!(resolved(path).segments, ["api", "auth", "x"], "{path}");
        }
        assert!(resolved("/..").segments.is_empty());
    }

    #[test]
    fn dangerous_path_has_no_reading() {
        for path in [
            "",
            "*",
            "a",
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/a/../b",
            "/%2e%2e/a",
            "/..;/a",
            "/a\\b",
            "/a%5Cb",
            "/a%00",
            "/a%0Ab",
            "/%zz",
            "/%",
            "/%2541",
            "/%c0%ae",
            "/ä",
            "/;x/a",
            "/%3Bx",
            "/...",
            "/%20",
            "/a%2F..%2Fb",
            "/a%2F/b",
            "/%2F",
        ] {
            assert_eq!(readings(path), None, "{path}");
        }
    }
}
