//! Arguments of `#[require_session]` that are not types: what to write instead.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Ident, LitStr, Type};

use crate::tokens::{is_punct, stream};

pub(super) const EXPECTED: &str = "expected `#[require_session]`, `#[require_session(Auth)]` or \
     `#[require_session(Auth, Policy)]`, and after that `crate = ::path`";

/// The rules that can be written.
pub(super) const RULES: [&str; 9] =
    ["signed_in", "role", "permission", "organization", "acr", "max_age", "all", "any", "not"];

/// A wrong argument.
pub(super) struct Mistake {
    pub(super) message: String,
    /// The types that were meant, so that the compiler does not report other ones in addition.
    pub(super) meant: Vec<Type>,
}

/// Explains an argument. `first` is whether no type stands before it.
pub(super) fn explain(piece: &[TokenTree], first: bool) -> Mistake {
    match piece {
        [TokenTree::Ident(key), equals, value @ ..] if is_punct(Some(equals), '=') => {
            named(key, value, first)
        }
        [TokenTree::Literal(literal)] => match quoted(literal.to_token_stream()) {
            Some(ty) => meant(vec![ty], |types| format!("types have no quotes here: write `{types}`")),
            None if literal.to_string().starts_with('"') => {
                no_type(format!("a text alone is no rule: write `role({literal})`"))
            }
            None => no_type(EXPECTED.to_owned()),
        },
        [amp, rest @ ..] if is_punct(Some(amp), '&') => match named_type(rest) {
            Some(ty) => meant(vec![ty], |types| format!("expected a type: write `{types}`")),
            None => no_type(EXPECTED.to_owned()),
        },
        _ if piece.iter().any(|token| is_punct(Some(token), '|')) => {
            no_type(format!("a closure is no policy: {}", role()))
        }
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
            no_type(EXPECTED.to_owned())
        }
        _ => unseparated(piece),
    }
}

/// Whether this is a path with parentheses or braces behind it, as in `Admin()`.
pub(super) fn is_call(piece: &[TokenTree]) -> bool {
    let is_group = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() != Delimiter::Bracket);
    // The `>` of `Gate<fn() -> A>` is the last token.
    piece.len() > 1 && piece.last().is_some_and(is_group)
}

/// A type as it was written, for messages.
pub(super) fn text(ty: &Type) -> String {
    ty.to_token_stream()
        .to_string()
        .replace(" :: ", "::")
        .replace(":: ", "::")
        .replace(" < ", "<")
        .replace(" >", ">")
}

fn role() -> String {
    "write a type that implements `Policy<Auth>`: `#[require_session(Auth, Admin)]`".to_owned()
}

fn no_type(message: String) -> Mistake {
    Mistake { message, meant: Vec::new() }
}

fn meant(types: Vec<Type>, message: impl FnOnce(&str) -> String) -> Mistake {
    let list: Vec<String> = types.iter().map(text).collect();
    Mistake { message: message(&list.join(", ")), meant: types }
}

/// `policy = Admin`.
fn named(key: &Ident, value: &[TokenTree], first: bool) -> Mistake {
    let ty = match value {
        [TokenTree::Literal(literal)] => quoted(literal.to_token_stream()),
        value => named_type(value),
    };
    match ty {
        Some(ty) if key == "policy" && first => {
            let types = vec![syn::parse_quote!(Auth), ty];
            meant(types, |types| format!("arguments have no names here: write `{types}`"))
        }
        Some(ty) => meant(vec![ty], |types| format!("arguments have no names here: write `{types}`")),
        None => match call_for(key, value) {
            Some(rule) => no_type(format!("arguments have no names here: write `{rule}`")),
            None => no_type(format!("unknown argument `{key}`: {EXPECTED}")),
        },
    }
}

/// `Auth Admin`, `Admin()`, `Admin::new()`, `Admin {}`.
fn unseparated(piece: &[TokenTree]) -> Mistake {
    if let [path @ .., TokenTree::Group(_)] = piece {
        let owner = match path {
            [owner @ .., a, b, TokenTree::Ident(_)] if is_punct(Some(a), ':') && is_punct(Some(b), ':') => {
                named_type(path).or_else(|| named_type(owner))
            }
            path => named_type(path),
        };
        if let Some(ty) = owner {
            return meant(vec![ty], |types| format!("expected a type, not a value: write `{types}`"));
        }
    }
    if let [one, two] = piece
        && let (Some(one), Some(two)) =
            (named_type(std::slice::from_ref(one)), named_type(std::slice::from_ref(two)))
    {
        return meant(vec![one, two], |types| format!("types are separated by commas: write `{types}`"));
    }
    no_type(EXPECTED.to_owned())
}

/// The type in a string.
fn quoted(literal: TokenStream) -> Option<Type> {
    let literal = syn::parse2::<LitStr>(literal).ok()?;
    let tokens: TokenStream = literal.parse().ok()?;
    named_type(&tokens.into_iter().collect::<Vec<_>>())
}

/// The type with these tokens, if its name is in upper case, as those of types are.
fn named_type(tokens: &[TokenTree]) -> Option<Type> {
    match syn::parse2::<Type>(stream(tokens)) {
        Ok(Type::Path(path))
            if path.path.segments.last()?.ident.to_string().starts_with(char::is_uppercase) =>
        {
            Some(Type::Path(path))
        }
        _ => None,
    }
}

/// What to write for `role = "admin"`. `None` if it is no rule.
fn call_for(name: &Ident, value: &[TokenTree]) -> Option<String> {
    match value {
        [TokenTree::Literal(value)] if RULES.contains(&name.to_string().as_str()) => {
            Some(format!("{name}({value})"))
        }
        _ => None,
    }
}
