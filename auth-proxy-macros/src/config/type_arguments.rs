//! Reads the type arguments of a declaration: `<User = .., Claims = ..>`.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Type;

use super::type_argument::{Argument, Slot, type_text};
use crate::errors::Errors;
use crate::tokens::{self, at_commas_outside_angles, is_punct};

/// The types of a declaration.
#[derive(Default)]
pub(super) struct Types {
    pub(super) user: Option<Type>,
    pub(super) claims: Option<Type>,
}

impl Types {
    fn slot(&mut self, slot: Slot) -> &mut Option<Type> {
        match slot {
            Slot::User => &mut self.user,
            Slot::Claims => &mut self.claims,
        }
    }

    /// The arguments as they are written: `User = AppUser, Claims = AppClaims`.
    fn text(&self) -> String {
        let types = [(Slot::User, &self.user), (Slot::Claims, &self.claims)].into_iter();
        let given = types.filter_map(|(slot, ty)| {
            let tokens: Vec<TokenTree> = ty.as_ref()?.to_token_stream().into_iter().collect();
            Some(format!("{} = {}", slot.name(), type_text(&tokens)))
        });
        given.collect::<Vec<_>>().join(", ")
    }
}

/// Reads what stands between the name of the type and the `{`.
///
/// A type whose purpose is clear is used even if it is written in another way: otherwise each use of it in the program
/// would be an error too.
pub(super) fn read(tokens: &[TokenTree], errors: &mut Errors) -> Types {
    let mut types = Types::default();
    for argument in at_commas_outside_angles(inside_angles(without_where(tokens, errors), errors)) {
        let read = Argument::of(argument);
        let free = if types.user.is_none() { Slot::User } else { Slot::Claims };
        if let Some(message) = read.mistake(argument, free) {
            match read {
                Argument::Unknown(name, _) => errors.unknown_word(name, message, read.misspelt()),
                Argument::WithoutType(name) => errors.at(name, message),
                _ => errors.at(tokens::stream(argument), message),
            }
            if let Some((slot, ty)) = read.meant(argument, free)
                && let slot @ None = types.slot(slot)
            {
                *slot = syn::parse2(tokens::stream(ty)).ok();
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

/// Reports types in the braces, such as `user: AppUser` and `type User = AppUser;`, and uses them. Returns the other
/// entries.
pub(super) fn read_in_braces(
    inside: TokenStream,
    name: &Ident,
    types: &mut Types,
    errors: &mut Errors,
) -> TokenStream {
    let tokens: Vec<TokenTree> = inside.into_iter().collect();
    let mut others = Vec::new();
    let mut places = Vec::new();
    let mut rest = &tokens[..];
    while !rest.is_empty() {
        let end = rest.iter().position(|token| matches!(tokens::punct(token), Some(',' | ';')));
        let (entry, next) = rest.split_at(end.unwrap_or(rest.len()));
        let (separator, next) = next.split_at(next.len().min(1));
        rest = next;
        let Some((slot, at, ty)) = type_entry(entry) else {
            others.extend(entry.iter().chain(separator).cloned());
            continue;
        };
        places.push(at);
        if let slot @ None = types.slot(slot) {
            *slot = syn::parse2(tokens::stream(ty)).ok();
        }
    }
    let all = types.text();
    for at in places {
        errors.at(at, format!("types come after the name: write `struct {name}<{all}> {{ .. }}`"));
    }
    others.into_iter().collect()
}

/// The type that an entry of a block sets: the token to point at and the type. The value of an option, such as
/// `claims: [role]`, is none.
fn type_entry(entry: &[TokenTree]) -> Option<(Slot, &Ident, &[TokenTree])> {
    let entry = match entry {
        [TokenTree::Ident(word), rest @ ..] if word == "type" => rest,
        entry => entry,
    };
    let [TokenTree::Ident(name), separator, ty @ ..] = entry else { return None };
    let slot = Slot::named(&name.to_string())?;
    let is_type = matches!(tokens::punct(separator), Some(':' | '='))
        && matches!(ty.first(), Some(TokenTree::Ident(_)))
        && syn::parse2::<Type>(tokens::stream(ty)).is_ok();
    is_type.then_some((slot, name, ty))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(source: &str) -> (Option<String>, Option<String>, Vec<String>) {
        let tokens: Vec<TokenTree> = source.parse::<TokenStream>().unwrap().into_iter().collect();
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

    #[test]
    fn type_written_in_another_way_is_reported_once_and_used() {
        for (source, user, claims, advice) in [
            ("<AppUser>", Some("AppUser"), None, "write `User = AppUser`"),
            ("<app::User<A>>", Some("app::User<A>"), None, "write `User = app::User<A>`"),
            ("<User = A, B>", Some("A"), Some("B"), "write `Claims = B`"),
            ("<user = A>", Some("A"), None, "did you mean `User`?"),
            ("<claim = A>", None, Some("A"), "did you mean `Claims`?"),
            ("<User: AppUser>", Some("AppUser"), None, "write `User = AppUser`"),
            ("<User: Clone + Send>", None, None, "write `User = AppUser`"),
            ("<Other = A>", None, None, "expected `User` or `Claims`"),
        ] {
            let (found_user, found_claims, messages) = outcome(source);
            assert_eq!((found_user.as_deref(), found_claims.as_deref()), (user, claims), "{source}");
            assert!(messages.len() == 1 && messages[0].contains(advice), "{source}: {messages:?}");
        }
    }

    #[test]
    fn types_in_the_braces_are_reported_and_used() {
        for (source, user, others, messages) in [
            ("user: AppUser, a: 1,", Some("AppUser"), "a : 1 ,", 1),
            ("type User = AppUser; a: 1", Some("AppUser"), "a : 1", 1),
            ("a: 1, User = app::User", Some("app::User"), "a : 1 ,", 1),
            ("claims: [role]", None, "claims : [role]", 0),
            ("user: \"a\"", None, "user : \"a\"", 0),
        ] {
            let mut errors = Errors::default();
            let mut types = Types::default();
            let name = Ident::new("Auth", proc_macro2::Span::call_site());
            let rest = read_in_braces(source.parse().unwrap(), &name, &mut types, &mut errors);
            assert_eq!(rest.to_string(), others, "{source}");
            let found = types.user.map(|ty| ty.to_token_stream().to_string().replace(' ', ""));
            assert_eq!(found.as_deref(), user, "{source}");
            assert_eq!(errors.messages().len(), messages, "{source}");
        }
    }
}
