//! Reads literals and bare words as the value of an option: the text that they stand for, or why they are refused.

use auth_proxy_rules::{Draft, OptionKey, Shape, nearest};
use proc_macro2::TokenTree;

use super::correction;
use super::expected::{expected, no_quotes, word_without_quotes};
use super::scan::{Scalar, Scan};

/// Why a value is refused, and how many of its tokens to point at.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) tokens: usize,
    /// The word of the option that a misspelt word means.
    pub(super) meant: Option<&'static str>,
}

/// The text that the rules check, or why the value is refused.
type Decision = Result<String, Refusal>;

/// Reads a literal or a bare word: its text and the number of its tokens.
pub(super) fn read(option: OptionKey, tokens: &[TokenTree]) -> Result<(String, usize), Refusal> {
    let Some(scan) = Scan::of(tokens) else {
        return Err(Refusal { message: expected(option), tokens: 0, meant: None });
    };
    decide(option, &scan).map(|text| (text, scan.used))
}

fn decide(option: OptionKey, scan: &Scan) -> Decision {
    match option.shape() {
        Shape::Text | Shape::Headers => text(option, scan),
        Shape::Word(words) => word(option, words, scan),
        Shape::WordOrText(words) => word_or_text(option, words, scan),
        Shape::Duration | Shape::Size => quantity(option, None, scan),
        Shape::DurationOrOff => quantity(option, Some("off"), scan),
        Shape::DurationOrAlways => quantity(option, Some("always"), scan),
        Shape::Count => count(option, None, scan),
        Shape::CountOrOff => count(option, Some("off"), scan),
        Shape::Bool => boolean(option, scan),
        Shape::List | Shape::Names | Shape::Secret | Shape::Store | Shape::Expression => {
            refuse_all(option, scan)
        }
    }
}

fn text(option: OptionKey, scan: &Scan) -> Decision {
    match &scan.scalar {
        Scalar::Text(text) => Ok(text.clone()),
        Scalar::Word(word) if scan.length == 1 && is_text_without_quotes(option, word) => {
            refuse(1, format!("`{option}` is a string: write `\"{word}\"`"))
        }
        _ => refuse_all(option, scan),
    }
}

/// Whether the word, in quotes, is a value of the option. The start of `env` and the name of a type are not meant as one.
fn is_text_without_quotes(option: OptionKey, word: &str) -> bool {
    const TYPES: [&str; 6] = ["String", "Option", "Url", "Uri", "str", "Duration"];
    !"env".starts_with(word)
        && !TYPES.contains(&word)
        && (option == OptionKey::Headers || Draft::default().set(option, word).is_ok())
}

fn word(option: OptionKey, words: &[&'static str], scan: &Scan) -> Decision {
    match &scan.scalar {
        // This case comes first: `encrypted-v4` begins with the known word `encrypted`.
        Scalar::Word(_) if scan.hyphenated.is_some() => {
            let written = scan.hyphenated.as_deref().unwrap_or_default();
            match nearest(written, words.iter().copied()) {
                Some(near) => refuse(scan.length, format!("`{written}` is spelled `{near}`")),
                None => refuse_all(option, scan),
            }
        }
        Scalar::Word(word) => match Draft::default().set(option, word) {
            Ok(_) => Ok(word.clone()),
            Err(error) => {
                let meant = nearest(word, words.iter().copied());
                let advice = match only_start(word, words) {
                    Some(known) if meant.is_none() => format!(": write `{known}`"),
                    _ => String::new(),
                };
                Err(Refusal { message: format!("`{option}`: {}{advice}", error.quoted()), tokens: 1, meant })
            }
        },
        Scalar::Text(text) => match known_or_nearest(text, words) {
            Some(word) => refuse(1, word_without_quotes(word)),
            None => refuse_all(option, scan),
        },
        _ => refuse_all(option, scan),
    }
}

fn word_or_text(option: OptionKey, words: &[&'static str], scan: &Scan) -> Decision {
    match &scan.scalar {
        Scalar::Text(text) if words.contains(&text.as_str()) => refuse(1, word_without_quotes(text)),
        Scalar::Text(text) => Ok(text.clone()),
        Scalar::Word(word) if words.contains(&word.as_str()) => Ok(word.clone()),
        // A misspelled word must not become a text: `host: presrve`.
        Scalar::Word(word) if scan.length == 1 => {
            let near = nearest(word, words.iter().copied())
                .or_else(|| words.iter().copied().find(|known| known.starts_with(word.as_str())));
            let quoted = is_text_without_quotes(option, word).then(|| format!("`\"{word}\"`"));
            let is_start = near.is_some_and(|near| near.starts_with(word.as_str()));
            let (advice, meant) = match (near, quoted) {
                // A short word may be a host that looks like a known word: `auth` is one letter from `auto`.
                (Some(near), Some(quoted)) if word.len() < 5 && !is_start => {
                    (format!("{quoted}, or `{near}`"), None)
                }
                (Some(near), _) => (format!("`{near}`"), Some(near)),
                (None, Some(quoted)) => (quoted, None),
                (None, None) => return refuse_all(option, scan),
            };
            let message = format!("{}: write {advice}", expected(option));
            Err(Refusal { message, tokens: 1, meant })
        }
        _ => refuse_all(option, scan),
    }
}

fn quantity(option: OptionKey, zero: Option<&str>, scan: &Scan) -> Decision {
    match &scan.scalar {
        Scalar::Number { text, is_whole: true, has_unit: false } if scan.next_word.is_some() => {
            let unit = scan.next_word.as_deref().unwrap_or_default();
            refuse(scan.used + 1, format!("the unit follows the number directly: write `{text}{unit}`"))
        }
        Scalar::Number { text, .. } => Ok(text.clone()),
        scalar => zero_or_quoted(option, zero, scalar, scan),
    }
}

fn count(option: OptionKey, zero: Option<&str>, scan: &Scan) -> Decision {
    match &scan.scalar {
        Scalar::Number { text, is_whole: true, .. } => Ok(text.clone()),
        scalar => zero_or_quoted(option, zero, scalar, scan),
    }
}

/// Accepts the word for zero. Refuses numbers in quotes.
fn zero_or_quoted(option: OptionKey, zero: Option<&str>, scalar: &Scalar, scan: &Scan) -> Decision {
    match scalar {
        Scalar::Word(word) if Some(word.as_str()) == zero => Ok(word.clone()),
        Scalar::Text(text) if Some(text.as_str()) == zero => refuse(1, no_quotes(text)),
        Scalar::Text(text) if text.starts_with(|c: char| c.is_ascii_digit()) => {
            // Do not advise a value that the rules refuse.
            let message = match Draft::default().set(option, text) {
                Ok(_) => no_quotes(text),
                Err(error) => {
                    let advice = correction::advice(option, text, &error.quoted(), false);
                    format!("`{option}`: {error}, and no quotes{advice}")
                }
            };
            refuse(1, message)
        }
        _ => refuse_all(option, scan),
    }
}

fn boolean(option: OptionKey, scan: &Scan) -> Decision {
    match &scan.scalar {
        Scalar::Word(word) if word == "true" || word == "false" => Ok(word.clone()),
        Scalar::Text(text) if text == "true" || text == "false" => refuse(1, no_quotes(text)),
        Scalar::Word(text) | Scalar::Number { text, .. } if scan.length == 1 => {
            let advice = match text.as_str() {
                "yes" | "on" | "always" | "enabled" | "1" => ": write `true`",
                "no" | "off" | "never" | "none" | "disabled" | "0" => ": write `false`",
                _ => "",
            };
            refuse(1, expected(option) + advice)
        }
        _ => refuse_all(option, scan),
    }
}

fn refuse(tokens: usize, message: String) -> Decision {
    Err(Refusal { message, tokens, meant: None })
}

/// Points at the whole value: it may be a path or a call.
fn refuse_all(option: OptionKey, scan: &Scan) -> Decision {
    refuse(scan.length, expected(option))
}

/// The only word that starts like this.
fn only_start(start: &str, words: &[&'static str]) -> Option<&'static str> {
    let mut found = words.iter().copied().filter(|word| word.starts_with(start));
    found.next().filter(|_| found.next().is_none())
}

fn known_or_nearest<'w>(text: &'w str, words: &[&'w str]) -> Option<&'w str> {
    if words.contains(&text) { Some(text) } else { nearest(text, words.iter().copied()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ok text/tokens` for an accepted value, `no message/tokens` for a refused one.
    fn outcome(option: OptionKey, source: &str) -> String {
        let tokens: Vec<TokenTree> =
            source.parse::<proc_macro2::TokenStream>().unwrap().into_iter().collect();
        match read(option, &tokens) {
            Ok((text, used)) => format!("ok {text}/{used}"),
            Err(refusal) => format!("no {}/{}", refusal.message, refusal.tokens),
        }
    }

    #[test]
    fn literals_of_each_shape_are_read_as_text() {
        for (option, source, expected) in [
            (OptionKey::PublicUrl, "\"https://a\"", "ok https://a/1"),
            (OptionKey::Kind, "robo", "ok robo/1"),
            (OptionKey::Host, "auto", "ok auto/1"),
            (OptionKey::Host, "\"a.b\"", "ok a.b/1"),
            (OptionKey::Timeout, "5s", "ok 5s/1"),
            (OptionKey::Timeout, "-5s", "ok -5s/2"),
            (OptionKey::Timeout, "1.5s", "ok 1.5s/1"),
            (OptionKey::Timeout, "5", "ok 5/1"),
            (OptionKey::Timeout, "5 kind: robo", "ok 5/1"),
            (OptionKey::Cache, "off", "ok off/1"),
            (OptionKey::Renew, "always", "ok always/1"),
            (OptionKey::BodyLimit, "1MiB", "ok 1MiB/1"),
            (OptionKey::Concurrency, "1_000", "ok 1_000/1"),
            (OptionKey::Queue, "off", "ok off/1"),
            (OptionKey::AllowHttp, "true", "ok true/1"),
        ] {
            assert_eq!(outcome(option, source), expected, "{option}: {source}");
        }
    }

    #[test]
    fn values_with_a_typing_mistake_are_refused_with_advice() {
        for (option, source, advice, tokens) in [
            (OptionKey::CookieName, "word", "write `\"word\"`", 1),
            (OptionKey::Host, "ups", "write `upstream`", 1),
            (OptionKey::Kind, "\"robo\"", "without quotes: write `robo`", 1),
            (OptionKey::Kind, "\"rob\"", "without quotes: write `robo`", 1),
            (OptionKey::Token, "encrypted-v4", "is spelled `encrypted_v4`", 3),
            (OptionKey::Host, "\"auto\"", "without quotes: write `auto`", 1),
            (OptionKey::Host, "presrve", "write `preserve`", 1),
            (OptionKey::Host, "auth", "write `\"auth\"`, or `auto`", 1),
            (OptionKey::Host, "elsewhere", "write `\"elsewhere\"`", 1),
            (OptionKey::Timeout, "5 s", "write `5s`", 2),
            (OptionKey::Timeout, "\"5s\"", "no quotes here: write `5s`", 1),
            (OptionKey::Timeout, "\"5\"", ", and no quotes", 1),
            (OptionKey::Cache, "\"off\"", "no quotes here: write `off`", 1),
            (OptionKey::Queue, "\"5\"", "no quotes here: write `5`", 1),
            (OptionKey::AllowHttp, "\"true\"", "no quotes here: write `true`", 1),
            (OptionKey::AllowHttp, "1", "write `true`", 1),
            (OptionKey::AllowHttp, "no", "write `false`", 1),
            (OptionKey::Kind, "au", "write `authjs`", 1),
            (OptionKey::BodyLimit, "\"1MB\"", "and no quotes: write `1MiB`", 1),
        ] {
            let found = outcome(option, source);
            assert!(found.starts_with("no ") && found.contains(advice), "{option}: {source}: {found}");
            assert!(found.ends_with(&format!("/{tokens}")), "{option}: {source}: {found}");
        }
    }

    #[test]
    fn values_of_another_shape_are_refused_as_a_whole() {
        for (option, source, tokens) in [
            // Advice in quotes would be refused.
            (OptionKey::PublicUrl, "word", 1),
            (OptionKey::BaseUrl, "e", 1),
            (OptionKey::CookieName, "e", 1),
            (OptionKey::CookieName, "String", 1),
            (OptionKey::PublicUrl, "5", 1),
            (OptionKey::PublicUrl, "a::b() kind: robo", 5),
            (OptionKey::PublicUrl, "\"a\"suffix", 1),
            (OptionKey::PublicUrl, "-\"a\"", 2),
            (OptionKey::Kind, "5", 1),
            (OptionKey::Kind, "\"something else\"", 1),
            (OptionKey::Timeout, "off", 1),
            (OptionKey::Cache, "always", 1),
            (OptionKey::Concurrency, "1.5", 1),
            (OptionKey::Concurrency, "off", 1),
            (OptionKey::AllowHttp, "bool", 1),
            (OptionKey::AllowHttp, "", 0),
        ] {
            let expected = format!("no {}/{tokens}", expected(option));
            assert_eq!(outcome(option, source), expected, "{option}: {source}");
        }
    }
}
