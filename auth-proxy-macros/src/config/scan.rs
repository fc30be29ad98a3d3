//! Splits a value into the parts that decide how it is read.

use proc_macro2::TokenTree;
use syn::Lit;

use crate::tokens::{before_next_entry, entry_key, is_punct};

/// The start of a value.
pub(super) enum Scalar {
    /// A string literal.
    Text(String),
    /// A number as it is written, with its sign and its unit.
    Number {
        text: String,
        is_whole: bool,
        has_unit: bool,
    },
    /// A bare word.
    Word(String),
    Other,
}

/// The parts of a value. What reads a shape of option uses these parts and no tokens.
pub(super) struct Scan {
    pub(super) scalar: Scalar,
    /// How many tokens the scalar has.
    pub(super) used: usize,
    /// How many tokens there are before the next entry.
    pub(super) length: usize,
    /// The bare word behind the scalar, if it is not a key.
    pub(super) next_word: Option<String>,
    /// The whole value without white space, if a hyphen follows the first token.
    pub(super) hyphenated: Option<String>,
}

impl Scan {
    pub(super) fn of(tokens: &[TokenTree]) -> Option<Self> {
        let (scalar, used) = Scalar::of(tokens)?;
        let length = before_next_entry(tokens);
        let rest = tokens.get(used..).unwrap_or_default();
        let next_word = match rest.first() {
            Some(TokenTree::Ident(word)) if entry_key(rest).is_none() => Some(word.to_string()),
            _ => None,
        };
        let hyphenated = is_punct(tokens.get(1), '-')
            .then(|| tokens.iter().take(length).map(ToString::to_string).collect());
        Some(Self { scalar, used, length, next_word, hyphenated })
    }
}

impl Scalar {
    /// The scalar that the tokens start with, and how many tokens it has.
    fn of(tokens: &[TokenTree]) -> Option<(Self, usize)> {
        let number = |token: &TokenTree, sign: &str| match token {
            TokenTree::Literal(literal) => match Lit::new(literal.clone()) {
                Lit::Int(number) => Some(Self::Number {
                    text: format!("{sign}{literal}"),
                    is_whole: true,
                    has_unit: !number.suffix().is_empty(),
                }),
                Lit::Float(number) => Some(Self::Number {
                    text: format!("{sign}{literal}"),
                    is_whole: false,
                    has_unit: !number.suffix().is_empty(),
                }),
                _ => None,
            },
            _ => None,
        };
        if let [minus, digits, ..] = tokens
            && is_punct(Some(minus), '-')
            && let Some(number) = number(digits, "-")
        {
            return Some((number, 2));
        }
        let first = tokens.first()?;
        if let Some(number) = number(first, "") {
            return Some((number, 1));
        }
        let scalar = match first {
            TokenTree::Ident(word) => Self::Word(word.to_string()),
            TokenTree::Literal(literal) => match Lit::new(literal.clone()) {
                // `"text"suffix` is no string.
                Lit::Str(text) if text.suffix().is_empty() => Self::Text(text.value()),
                _ => Self::Other,
            },
            _ => Self::Other,
        };
        Some((scalar, 1))
    }
}
