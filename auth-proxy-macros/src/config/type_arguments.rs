//! Reads the type arguments of a declaration: `<User = .., Claims = ..>`.

use auth_proxy_rules::nearest;
use proc_macro2::{Ident, TokenTree};
use quote::ToTokens;
use syn::Type;

use super::keys;
use crate::errors::Errors;
use crate::tokens::{self, at_commas_outside_angles, is_punct};

/// The types of a declaration.
#[derive(Default)]
pub(super) struct Types {
    pub(super) user: Option<Type>,
    pub(super) claims: Option<Type>,
}

/// One type argument, as it is written.
enum Argument<'t> {
    /// `User = ..`
    User(&'t Ident, &'t [TokenTree]),
    /// `Claims = ..`
    Claims(&'t Ident, &'t [TokenTree]),
    /// `Name = ..`
    Unknown(&'t Ident),
    /// `'a`
    Lifetime,
    /// `const N: ..`
    Const,
    /// `User: ..`
    Bounds(&'t Ident),
    /// `User`
    WithoutType(&'t Ident),
    /// A type without a name.
    WithoutName,
}

/// Reads what stands between the name of the type and the `{`.
pub(super) fn read(tokens: &[TokenTree], errors: &mut Errors) -> Types {
    let mut types = Types::default();
    for argument in at_commas_outside_angles(inside_angles(without_where(tokens, errors), errors)) {
        let read = Argument::of(argument);
        if let Some(message) = read.mistake(argument) {
            match read {
                Argument::Unknown(name) | Argument::WithoutType(name) => errors.at(name, message),
                _ => errors.at(tokens::stream(argument), message),
            }
            continue;
        }
        let (slot, name, ty) = match read {
            Argument::User(name, ty) => (&mut types.user, name, ty),
            Argument::Claims(name, ty) => (&mut types.claims, name, ty),
            _ => continue,
        };
        if slot.is_some() {
            errors.at(name, format!("`{name}` is given twice: remove one"));
            continue;
        }
        match syn::parse2(tokens::stream(ty)) {
            Ok(ty) => *slot = Some(ty),
            Err(_) => errors.at(
                tokens::stream(argument).into_token_stream(),
                format!("expected a type after `{name} =`, such as `{name} = App{name}`"),
            ),
        }
    }
    types
}

/// Reports a `where` clause and removes it.
fn without_where<'t>(tokens: &'t [TokenTree], errors: &mut Errors) -> &'t [TokenTree] {
    let clause = tokens.iter().position(|token| matches!(token, TokenTree::Ident(word) if word == "where"));
    let Some(clause) = clause else { return tokens };
    errors.at(tokens.get(clause), "a declaration has no `where` clause: remove it");
    tokens.get(..clause).unwrap_or_default()
}

fn inside_angles<'t>(tokens: &'t [TokenTree], errors: &mut Errors) -> &'t [TokenTree] {
    match tokens {
        [] => &[],
        [open, inside @ .., close] if is_punct(Some(open), '<') && is_punct(Some(close), '>') => inside,
        [open, inside @ ..] if is_punct(Some(open), '<') => {
            errors.at(open, "this `<` is not closed: write `<User = .., Claims = ..>` before the `{`");
            inside
        }
        [first, ..] => {
            errors.at(
                first,
                "expected `{`: the options are in braces, after optional `<User = .., Claims = ..>`",
            );
            &[]
        }
    }
}

impl<'t> Argument<'t> {
    fn of(tokens: &'t [TokenTree]) -> Self {
        match tokens {
            [TokenTree::Ident(name), equals, ty @ ..] if is_punct(Some(equals), '=') => {
                match name.to_string().as_str() {
                    "User" => Self::User(name, ty),
                    "Claims" => Self::Claims(name, ty),
                    _ => Self::Unknown(name),
                }
            }
            [apostrophe, ..] if is_punct(Some(apostrophe), '\'') => Self::Lifetime,
            [TokenTree::Ident(word), ..] if word == "const" => Self::Const,
            [TokenTree::Ident(name), colon, rest @ ..]
                if (name == "User" || name == "Claims")
                    && is_punct(Some(colon), ':')
                    && !is_punct(rest.first(), ':') =>
            {
                Self::Bounds(name)
            }
            [TokenTree::Ident(name), ..] if nearest(&name.to_string(), ["user", "claims"]).is_some() => {
                Self::WithoutType(name)
            }
            _ => Self::WithoutName,
        }
    }

    /// The message for an argument that sets no type.
    fn mistake(&self, tokens: &[TokenTree]) -> Option<String> {
        Some(match self {
            Self::User(..) | Self::Claims(..) => return None,
            Self::Unknown(name) => keys::unknown_type_argument(&name.to_string()),
            Self::Lifetime => "a proxy has no lifetimes: write `User = ..` and `Claims = ..` only".to_owned(),
            Self::Const => {
                "a proxy has no const parameters: write `User = ..` and `Claims = ..` only".to_owned()
            }
            Self::Bounds(name) => {
                format!("`{name}` is set to a type and has no bounds: write `{name} = App{name}`")
            }
            Self::WithoutType(name) => format!("`{name}` needs a type: write `{name} = App{name}`"),
            Self::WithoutName => {
                let tokens = tokens::stream(tokens);
                format!("name what the type is for: write `User = {tokens}` or `Claims = {tokens}`")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(source: &str) -> (Option<String>, Option<String>, Vec<String>) {
        let tokens: Vec<TokenTree> =
            source.parse::<proc_macro2::TokenStream>().unwrap().into_iter().collect();
        let mut errors = Errors::default();
        let types = read(&tokens, &mut errors);
        let text = |ty: Option<Type>| ty.map(|ty| ty.to_token_stream().to_string().replace(' ', ""));
        (text(types.user), text(types.claims), errors.messages())
    }

    #[test]
    fn type_arguments_are_read_in_any_order() {
        for (source, user, claims) in [
            ("", None, None),
            ("<>", None, None),
            ("<User = A>", Some("A"), None),
            ("<Claims = B<C, D>, User = A,>", Some("A"), Some("B<C,D>")),
            ("<User = A<fn() -> B, C>>", Some("A<fn()->B,C>"), None),
        ] {
            let expected = (user.map(str::to_owned), claims.map(str::to_owned), Vec::new());
            assert_eq!(outcome(source), expected, "{source}");
        }
    }

    #[test]
    fn type_argument_mistakes_are_reported_once() {
        for (source, says) in [
            ("<User = A, User = B>", "`User` is given twice"),
            ("<Usr = A>", "did you mean `User`?"),
            ("<Other = A>", "expected `User` or `Claims`"),
            ("<'a>", "no lifetimes"),
            ("<const N: usize>", "no const parameters"),
            ("<User: Clone>", "has no bounds"),
            ("<User>", "`User` needs a type"),
            ("<AppUser>", "name what the type is for"),
            ("<User = >", "expected a type after `User =`"),
            ("<User = A", "is not closed"),
            ("(A)", "expected `{`"),
            ("where A: B", "no `where` clause"),
            ("<User = A> where A: B", "no `where` clause"),
        ] {
            let (_, _, messages) = outcome(source);
            assert!(messages.len() == 1 && messages[0].contains(says), "{source}: {messages:?}");
        }
    }
}
