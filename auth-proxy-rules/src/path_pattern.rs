//! [`PathPattern`]: which paths a rule is about.

use std::fmt;

use crate::invalid_value::InvalidValue;

/// A pattern of paths, such as `/admin/**`.
///
/// A segment is literal text, or `*` for any one segment. `**` at the end stands for the path before it and everything below.
/// A `/` at the end of a path does not matter.
#[derive(Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    segments: Vec<Segment>,
    /// Whether it ends with `**`.
    has_rest: bool,
}

#[derive(Clone, PartialEq, Eq)]
enum Segment {
    Literal { text: String, folded: String },
    Any,
}

impl PathPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// When the text is no pattern. The message names the first mistake and what to write.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |why: &str, part: &str| InvalidValue::with_part(why, part);
        let Some(inner) = text.strip_prefix('/') else {
            return Err(invalid("a pattern is a path that starts with `/`, such as `/admin/**`", text));
        };
        let (inner, has_rest) = match inner.strip_suffix("/**") {
            Some(before) => (before, true),
            None => (inner, false),
        };
        let is_all = inner == "**" && !has_rest;
        if is_all || inner.is_empty() && !has_rest {
            let has_rest = is_all;
            return Ok(Self { text: text.to_owned(), segments: Vec::new(), has_rest });
        }
        if inner.ends_with('/') && !has_rest {
            let why = "a pattern does not end with `/`: write `/admin` for this path, or `/admin/**` for all below it too";
            return Err(invalid(why, text));
        }
        let segments = inner.split('/').map(segment).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), segments, has_rest })
    }

    /// Whether a path matches, given as its segments, percent-decoded. With `folds`, the segments were given to [`fold`],
    /// and upper and lower case do not matter.
    #[must_use]
    pub fn matches(&self, path: &[String], folds: bool) -> bool {
        let is_same = |(own, given): (&Segment, &String)| match own {
            Segment::Literal { folded, .. } if folds => folded == given,
            Segment::Literal { text, .. } => text == given,
            Segment::Any => true,
        };
        let is_long_enough =
            path.len() == self.segments.len() || (self.has_rest && path.len() > self.segments.len());
        is_long_enough && self.segments.iter().zip(path).all(is_same)
    }

    /// Whether it is `/**`, which matches every path.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.has_rest && self.segments.is_empty()
    }

    /// Whether it matches every path that the other one matches.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let is_wider = |(own, other): (&Segment, &Segment)| *own == Segment::Any || own == other;
        let fits = if self.has_rest {
            self.segments.len() <= other.segments.len()
        } else {
            self.segments.len() == other.segments.len() && !other.has_rest
        };
        fits && self.segments.iter().zip(&other.segments).all(is_wider)
    }
}

/// The combining dot of `i̇`.
const DOT_ABOVE: char = '\u{307}';

/// Text in which upper and lower case are the same.
///
/// Up and down, since some letters have no way back: the Kelvin sign becomes `k`, and `ſ` becomes `s`. The lower case of `İ` is
/// `i` with a dot above, and to Java plainly `i`.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.to_lowercase().to_uppercase().to_lowercase().replace(DOT_ABOVE, "")
}

fn segment(text: &str) -> Result<Segment, InvalidValue> {
    let why = match text {
        "*" => return Ok(Segment::Any),
        "**" => "`**` is the last segment of a pattern: write `*` for one segment",
        "" => "a pattern has no empty segment",
        "." | ".." => "a pattern has no dot segment",
        _ if text.contains('*') => {
            "`*` is a whole segment: write `/files/*` for every path one below `/files`"
        }
        _ if text.starts_with(['{', ':']) => "a pattern has no parameters: write `*` for one segment",
        _ => match text.chars().find(|c| is_refused(*c)) {
            None => return Ok(Segment::Literal { text: text.to_owned(), folded: fold(text) }),
            Some('%') => "a pattern is written without percent-escapes: write `/my files` for `/my%20files`",
            Some('?' | '#') => "a pattern has no query and no fragment: rules are about paths",
            Some(';') => "a pattern has no `;`: what follows it in a segment is a parameter to some servers",
            Some('\\') => "a pattern has no `\\`: write `/`",
            Some(_) => "a pattern has no control characters",
        },
    };
    Err(InvalidValue::with_part(why, text))
}

fn is_refused(c: char) -> bool {
    matches!(c, '%' | '?' | '#' | ';' | '\\') || c.is_control()
}

/// Writes the pattern as it was given.
impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &[&str]) -> bool {
        let path: Vec<_> = path.iter().map(|segment| (*segment).to_owned()).collect();
        PathPattern::parse(pattern).unwrap().matches(&path, false)
    }

    #[test]
    fn star_is_one_segment_and_two_stars_are_the_path_and_all_below() {
        for (pattern, path, expected) in [
            ("/", &[][..], true),
            ("/", &["a"], false),
            ("/**", &[], true),
            ("/**", &["a", "b"], true),
            ("/*", &["a"], true),
            ("/*", &[], false),
            ("/*", &["a", "b"], false),
            ("/admin/**", &["admin"], true),
            ("/admin/**", &["admin", "x", "y"], true),
            ("/admin/**", &["administrator"], false),
            ("/admin/**", &[], false),
            ("/a/*/c", &["a", "b", "c"], true),
            ("/a/*/c", &["a", "c"], false),
            ("/a/*/**", &["a"], false),
            ("/a/*/**", &["a", "b"], true),
            ("/my files", &["my files"], true),
            ("/Admin", &["admin"], false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path:?}");
        }
    }

    #[test]
    fn case_does_not_matter_to_folded_text() {
        let pattern = PathPattern::parse("/Kasse/STRASSE").unwrap();
        for path in [["kasse", "strasse"], ["\u{212a}asse", "ſtraße"], ["KASSE", "Strasse"]] {
            assert!(pattern.matches(&path.map(fold), true), "{path:?}");
        }
        assert_eq!(fold("ADMİNı"), "admini");
    }

    #[test]
    fn mistake_in_a_pattern_is_named_with_what_to_write() {
        for (pattern, message) in [
            ("", "starts with `/`"),
            ("admin/**", "starts with `/`"),
            ("**", "starts with `/`"),
            ("https://a.example/admin", "starts with `/`"),
            ("/admin/", "does not end with `/`"),
            ("//", "does not end with `/`"),
            ("/a//b", "no empty segment"),
            ("//**", "no empty segment"),
            ("/a/../b", "no dot segment"),
            ("/a/**/b", "write `*` for one segment"),
            ("/**/a", "write `*` for one segment"),
            ("/*.css", "`*` is a whole segment"),
            ("/admin**", "`*` is a whole segment"),
            ("/a/***", "`*` is a whole segment"),
            ("/{id}", "write `*`"),
            ("/:id/x", "write `*`"),
            ("/my%20files", "write `/my files`"),
            ("/a?b=c", "rules are about paths"),
            ("/a#b", "rules are about paths"),
            ("/a;b", "no `;`"),
            ("/a\\b", "write `/`"),
            ("/a\nb", "no control characters"),
        ] {
            let error = PathPattern::parse(pattern).unwrap_err().to_string();
            assert!(error.contains(message), "{pattern}: {error}");
        }
    }

    #[test]
    fn wider_pattern_covers_the_narrower_one() {
        for (one, other, expected) in [
            ("/**", "/", true),
            ("/**", "/a/*/**", true),
            ("/a/**", "/a", true),
            ("/a/**", "/a/**", true),
            ("/a/*", "/a/b", true),
            ("/a/b", "/a/*", false),
            ("/a/*", "/a/**", false),
            ("/a/*/**", "/a/**", false),
            ("/a", "/A", false),
            ("/a/**", "/b", false),
        ] {
            let [a, b] = [one, other].map(|text| PathPattern::parse(text).unwrap());
            assert_eq!(a.covers(&b), expected, "{one} {other}");
        }
    }
}
