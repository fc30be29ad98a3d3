//! The options that take a bare word or a text: one enum each.

use std::fmt;
use std::str::FromStr;

use crate::host::host;
use crate::invalid_value::InvalidValue;

/// An enum whose values are bare words and one kind of text.
pub(crate) trait WordsOrText: Sized {
    /// The bare words.
    const NAMES: &'static [&'static str];

    /// Checks the text of a value that was built in code.
    ///
    /// # Errors
    /// When the text breaks a rule.
    fn checked(self) -> Result<Self, InvalidValue>;
}

/// The required value of a token's `aud` or `iss`.
///
/// `FromStr` reads `any` or the text. Text in quotes is never the word: `"any"` in quotes expects the text `any`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// Any text, and tokens without the claim.
    Any,
    /// This text.
    Is(String),
}

impl WordsOrText for Expected {
    const NAMES: &'static [&'static str] = &["any"];

    fn checked(self) -> Result<Self, InvalidValue> {
        const MAX_BYTES: usize = 1024;
        match &self {
            Self::Is(text) if text.trim_matches(['"', ' ']).is_empty() || text.len() > MAX_BYTES => Err(
                InvalidValue::new("expected the value that the token carries, or `any` to waive the check"),
            ),
            Self::Is(text) if text.contains(char::is_control) => {
                Err(InvalidValue::new("the value of a claim has no control characters, such as a line break"))
            }
            _ => Ok(self),
        }
    }
}

impl FromStr for Expected {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Self::Is(inner.unwrap_or(text).to_owned()).checked()
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Is(text) => write!(f, "\"{text}\""),
        }
    }
}

/// The `Host` that the upstream sees.
///
/// `FromStr` reads a bare word or a host, `Display` writes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Host {
    /// `Preserve` for an internal upstream, else `Upstream`.
    Auto,
    /// The host of this app: that of `public_url`, else the host of the request if it is trusted.
    Preserve,
    /// The host of `upstream.base_url`.
    Upstream,
    /// A fixed host, with a port where needed.
    Literal(String),
}

impl WordsOrText for Host {
    const NAMES: &'static [&'static str] = &["auto", "preserve", "upstream"];

    fn checked(self) -> Result<Self, InvalidValue> {
        match self {
            Self::Literal(text) => host(&text).map(Self::Literal),
            word => Ok(word),
        }
    }
}

impl FromStr for Host {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "auto" => Ok(Self::Auto),
            "preserve" => Ok(Self::Preserve),
            "upstream" => Ok(Self::Upstream),
            _ => Self::Literal(text.to_owned()).checked(),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Preserve => "preserve",
            Self::Upstream => "upstream",
            Self::Literal(host) => host,
        })
    }
}

/// What happens to the `Domain` of the upstream's cookies.
///
/// `FromStr` reads a bare word or a domain, `Display` writes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CookieDomain {
    /// Kept if this app's host is in the domain, else removed.
    Auto,
    /// Kept as it is.
    Keep,
    /// Always removed: the cookie then belongs to this app's host only.
    Drop,
    /// Replaced by this domain.
    Literal(String),
}

impl WordsOrText for CookieDomain {
    const NAMES: &'static [&'static str] = &["auto", "keep", "drop"];

    fn checked(self) -> Result<Self, InvalidValue> {
        let Self::Literal(text) = self else { return Ok(self) };
        let domain = host(text.strip_prefix('.').unwrap_or(&text))?;
        if domain.contains(':') {
            return Err(InvalidValue::with_part("the domain of a cookie has no port", text));
        }
        Ok(Self::Literal(domain))
    }
}

impl FromStr for CookieDomain {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "auto" => Ok(Self::Auto),
            "keep" => Ok(Self::Keep),
            "drop" => Ok(Self::Drop),
            _ => Self::Literal(text.to_owned()).checked(),
        }
    }
}

impl fmt::Display for CookieDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::Literal(domain) => domain,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_domain_and_claim_options_parse_their_own_display() {
        for text in ["auto", "preserve", "upstream", "auth.example.com:8443"] {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), text);
        }
        for text in ["auto", "keep", "drop", "example.com"] {
            assert_eq!(text.parse::<CookieDomain>().unwrap().to_string(), text);
        }
        for expected in [Expected::Any, Expected::Is("any".to_owned()), Expected::Is("my-app".to_owned())] {
            assert_eq!(expected.to_string().parse::<Expected>().as_ref(), Ok(&expected));
        }
    }

    #[test]
    fn bare_words_are_not_parsed_as_text() {
        for word in Host::NAMES {
            assert!(!matches!(word.parse::<Host>(), Ok(Host::Literal(_)) | Err(_)), "{word}");
        }
        for word in CookieDomain::NAMES {
            assert!(!matches!(word.parse::<CookieDomain>(), Ok(CookieDomain::Literal(_)) | Err(_)), "{word}");
        }
        for word in Expected::NAMES {
            assert!(!matches!(word.parse::<Expected>(), Ok(Expected::Is(_)) | Err(_)), "{word}");
        }
    }

    #[test]
    fn invalid_host_cookie_domain_and_expected_text_is_refused() {
        for text in ["", "a/b", "a b", "u@a"] {
            assert!(text.parse::<Host>().is_err(), "{text}");
            assert!(Host::Literal(text.to_owned()).checked().is_err(), "{text}");
        }
        for text in ["", "a:80", "a/b"] {
            assert!(CookieDomain::Literal(text.to_owned()).checked().is_err(), "{text}");
        }
        assert_eq!(".A.example".parse(), Ok(CookieDomain::Literal("a.example".to_owned())));
        for text in ["", " ", "\"\"", "a\nb", "a\u{7f}", &"a".repeat(1025)] {
            assert!(Expected::Is(text.to_owned()).checked().is_err(), "{text}");
        }
    }
}
