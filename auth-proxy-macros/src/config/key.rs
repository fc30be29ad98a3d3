//! Reads the key of an entry, `key:`, and recognises the ways in which it is mistyped.

use auth_proxy_rules::snake_case;
use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::ToTokens as _;

use crate::tokens::{self, is_joint, is_punct};

/// The result of reading the start of an entry.
pub(super) struct KeyReading<'t> {
    /// The intended key, and the tokens of the value.
    pub(super) entry: Option<(Ident, &'t [TokenTree])>,
    pub(super) mistakes: Vec<Mistake>,
    /// Whether the entry could not be read. It may set a required option, so none is reported as missing.
    pub(super) is_unreadable: bool,
}

pub(super) struct Mistake {
    pub(super) tokens: TokenStream,
    pub(super) message: String,
}

/// How the key itself is written.
enum Form<'t> {
    /// `key`
    Word(&'t Ident),
    /// `"key"`
    Quoted(&'t Literal),
    /// `block.key`
    Dotted(&'t Ident, &'t Ident),
    /// `a-key`
    Hyphenated,
    /// `..`
    Dots,
    Other,
}

/// The separator between key and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Colon,
    DoubleColon,
    Arrow,
    Equals,
    /// `key { .. }`
    MissingBeforeGroup,
    Missing,
}

/// Reads the key of an entry and its separator.
pub(super) fn read(entry: &[TokenTree]) -> KeyReading<'_> {
    let (entry, mut mistakes) = without_attributes(entry);
    if entry.is_empty() {
        return KeyReading { entry: None, mistakes, is_unreadable: false };
    }
    let at = |range: std::ops::Range<usize>| tokens::stream(entry.get(range).unwrap_or_default());
    let all = || tokens::stream(entry);
    let mut add = |tokens, message| mistakes.push(Mistake { tokens, message });
    let mut is_unreadable = false;
    let found = match Form::of(entry) {
        Form::Word(key) => {
            let (separator, width) = Separator::of(entry.get(1..).unwrap_or_default());
            if let Some(message) = separator.mistake(key) {
                let is_missing = matches!(separator, Separator::Missing | Separator::MissingBeforeGroup);
                add(if is_missing { at(0..1) } else { at(1..1 + width) }, message);
            }
            let value = entry.get(1 + width..).unwrap_or_default();
            (separator != Separator::Missing).then(|| (key.clone(), value))
        }
        Form::Quoted(literal) => {
            let text = literal.to_string();
            let bare = text.trim_matches('"');
            add(at(0..1), format!("keys have no quotes here: write `{bare}: ..`"));
            identifier(bare, literal.span()).zip(after_colon(entry))
        }
        Form::Dotted(outer, inner) => {
            add(at(0..3), format!("a key is one word: write `{outer}: {{ {inner}: .. }}`"));
            is_unreadable = true;
            None
        }
        Form::Hyphenated => {
            let end = entry.iter().position(|token| is_punct(Some(token), ':')).unwrap_or(entry.len());
            let text: String = entry.iter().take(end).map(ToString::to_string).collect();
            let snake = snake_case(&text);
            add(at(0..end), format!("`{text}` is spelled `{snake}`"));
            let span = entry.first().map(TokenTree::span);
            span.and_then(|span| identifier(&snake, span)).zip(entry.get(end + 1..))
        }
        Form::Dots => {
            add(all(), "options that are left out have their defaults: remove the `..`".to_owned());
            None
        }
        Form::Other => {
            add(all(), "expected `key: value`".to_owned());
            None
        }
    };
    KeyReading { entry: found, mistakes, is_unreadable }
}

impl<'t> Form<'t> {
    fn of(entry: &'t [TokenTree]) -> Self {
        match entry {
            [TokenTree::Ident(outer), dot, TokenTree::Ident(inner), ..] if is_punct(Some(dot), '.') => {
                Self::Dotted(outer, inner)
            }
            [TokenTree::Ident(_), dash, TokenTree::Ident(_), ..] if is_punct(Some(dash), '-') => {
                Self::Hyphenated
            }
            [TokenTree::Ident(key), ..] => Self::Word(key),
            [TokenTree::Literal(literal), ..] => Self::Quoted(literal),
            [dot, next, ..] if is_punct(Some(dot), '.') && is_punct(Some(next), '.') => Self::Dots,
            _ => Self::Other,
        }
    }
}

impl Separator {
    /// The separator that the tokens start with, and how many of them it has.
    fn of(tokens: &[TokenTree]) -> (Self, usize) {
        let second = tokens.get(1);
        match tokens.first() {
            Some(colon) if is_joint(colon, ':') && is_punct(second, ':') => (Self::DoubleColon, 2),
            Some(colon) if is_punct(Some(colon), ':') => (Self::Colon, 1),
            Some(equals) if is_punct(Some(equals), '=') && is_punct(second, '>') => (Self::Arrow, 2),
            Some(equals) if is_punct(Some(equals), '=') => (Self::Equals, 1),
            Some(TokenTree::Group(_)) => (Self::MissingBeforeGroup, 0),
            _ => (Self::Missing, 0),
        }
    }

    /// The message for a separator that is not a colon.
    fn mistake(self, key: &Ident) -> Option<String> {
        match self {
            Self::Colon => None,
            Self::DoubleColon => Some(format!("write `{key}: ..` with one colon")),
            Self::Arrow | Self::Equals => Some(format!("write `{key}: ..` with a colon")),
            Self::MissingBeforeGroup | Self::Missing => {
                Some(format!("expected `{key}: ..`, a key with a colon and a value"))
            }
        }
    }
}

/// The entry without the attributes and the `pub` before it. Comments (`///`) are allowed, other attributes are mistakes.
fn without_attributes(mut entry: &[TokenTree]) -> (&[TokenTree], Vec<Mistake>) {
    let mut mistakes = Vec::new();
    while let [hash, TokenTree::Group(attribute), rest @ ..] = entry
        && is_punct(Some(hash), '#')
    {
        let first = attribute.stream().into_iter().next();
        if !matches!(first, Some(TokenTree::Ident(word)) if word == "doc") {
            let tokens = tokens::stream(entry.get(..2).unwrap_or_default());
            mistakes.push(Mistake { tokens, message: "options have no attributes: remove it".to_owned() });
        }
        entry = rest;
    }
    if let [word @ TokenTree::Ident(public), rest @ ..] = entry
        && public == "pub"
        && !matches!(rest.first(), Some(TokenTree::Punct(_)))
    {
        mistakes.push(Mistake {
            tokens: word.into_token_stream(),
            message: "options are no fields and have no `pub`: remove it".to_owned(),
        });
        // `pub(crate)`
        entry = match rest {
            [TokenTree::Group(_), rest @ ..] | rest => rest,
        };
    }
    (entry, mistakes)
}

fn after_colon(entry: &[TokenTree]) -> Option<&[TokenTree]> {
    is_punct(entry.get(1), ':').then(|| entry.get(2..).unwrap_or_default())
}

fn identifier(text: &str, span: proc_macro2::Span) -> Option<Ident> {
    let mut word = syn::parse_str::<Ident>(text).ok()?;
    word.set_span(span);
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key with the number of tokens of the value, and the messages.
    fn outcome(source: &str) -> (Option<(String, usize)>, Vec<String>) {
        let tokens: Vec<TokenTree> = source.parse::<TokenStream>().unwrap().into_iter().collect();
        let reading = read(&tokens);
        let key = reading.entry.map(|(key, value)| (key.to_string(), value.len()));
        (key, reading.mistakes.into_iter().map(|mistake| mistake.message).collect())
    }

    #[test]
    fn mistyped_keys_are_read_as_the_intended_key() {
        for (source, key, message) in [
            ("a: 1", Some(("a", 1)), None),
            ("a:", Some(("a", 0)), None),
            ("a: ::b()", Some(("a", 4)), None),
            ("a::1", Some(("a", 1)), Some("write `a: ..` with one colon")),
            ("a = 1", Some(("a", 1)), Some("write `a: ..` with a colon")),
            ("a => 1", Some(("a", 1)), Some("write `a: ..` with a colon")),
            ("a { b: 1 }", Some(("a", 1)), Some("expected `a: ..`, a key with a colon and a value")),
            ("a 1", None, Some("expected `a: ..`, a key with a colon and a value")),
            ("a", None, Some("expected `a: ..`, a key with a colon and a value")),
            ("a.b: 1", None, Some("a key is one word: write `a: { b: .. }`")),
            ("a-key: 1", Some(("a_key", 1)), Some("`a-key` is spelled `a_key`")),
            ("a-key", None, Some("`a-key` is spelled `a_key`")),
            ("\"a\": 1", Some(("a", 1)), Some("keys have no quotes here: write `a: ..`")),
            ("\"r#a\": 1", Some(("r#a", 1)), Some("keys have no quotes here: write `r#a: ..`")),
            ("r#a-b: 1", Some(("r#a_b", 1)), Some("`r#a-b` is spelled `r#a_b`")),
            ("\"a\" 1", None, Some("keys have no quotes here: write `a: ..`")),
            ("\"a b\": 1", None, Some("keys have no quotes here: write `a b: ..`")),
            ("..defaults", None, Some("options that are left out have their defaults: remove the `..`")),
            ("{}", None, Some("expected `key: value`")),
            ("/// A comment.\na: 1", Some(("a", 1)), None),
            ("#[cfg(x)] a: 1", Some(("a", 1)), Some("options have no attributes: remove it")),
            ("pub a: 1", Some(("a", 1)), Some("options are no fields and have no `pub`: remove it")),
            ("pub(crate) a: 1", Some(("a", 1)), Some("options are no fields and have no `pub`: remove it")),
            ("#[cfg(x)]", None, Some("options have no attributes: remove it")),
        ] {
            let key = key.map(|(key, length)| (key.to_owned(), length));
            let messages: Vec<String> = message.into_iter().map(str::to_owned).collect();
            assert_eq!(outcome(source), (key, messages), "{source}");
        }
    }
}
