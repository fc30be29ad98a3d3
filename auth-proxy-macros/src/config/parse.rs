use auth_proxy_rules::nearest;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Token, Type, Visibility};

use super::model::{Declaration, Settings};
use super::{entries, keys};
use crate::errors::Errors;
use crate::tokens::{self, is_punct};

/// Reads a block. `None` when not even the name of the type can be made out.
pub(super) fn declaration(input: TokenStream, errors: &mut Errors) -> Option<Declaration> {
    let mut tokens = input.into_iter();
    let krate = tokens::group(tokens.next().as_ref(), Delimiter::Parenthesis)?;
    let head = match Parser::parse2(head, tokens.collect()) {
        Ok(head) => head,
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    let rest = tokens::flatten(&head.rest.into_iter().collect::<Vec<_>>());
    let body = rest.iter().position(|token| tokens::group(Some(token), Delimiter::Brace).is_some());
    let (between, body, after) = match body {
        Some(at) => {
            let (between, rest) = rest.split_at(at);
            (between, rest.first(), rest.get(1..).unwrap_or_default())
        }
        None => (&rest[..], None, &[][..]),
    };
    let between = match between {
        // `struct Auth;`: reported below.
        [semicolon] if body.is_none() && is_punct(Some(semicolon), ';') => &[],
        between => between,
    };
    let is_tuple = body.is_none()
        && between.iter().any(|token| tokens::group(Some(token), Delimiter::Parenthesis).is_some());
    let between = if is_tuple {
        let fields =
            between.iter().position(|token| tokens::group(Some(token), Delimiter::Parenthesis).is_some());
        between.get(..fields.unwrap_or_default()).unwrap_or_default()
    } else {
        between
    };
    let (user, claims) = type_arguments(between, errors);
    let mut settings = Settings::default();
    match tokens::group(body, Delimiter::Brace) {
        Some(body) => entries::block(body, &mut settings, errors),
        None => {
            settings.unreadable = true;
            let message =
                format!("the options are missing: write `struct {} {{ upstream: {{ .. }} }}`", head.name);
            errors.at(&head.name, message);
        }
    }
    if let Some(extra) = after.first() {
        let message = if is_punct(Some(extra), ';') {
            "no `;` here: the block ends with the `}`"
        } else {
            "one block declares one type: write a second `auth_proxy!` for another"
        };
        errors.at(extra, message);
    }
    let attrs = without_our_derives(head.attrs, errors);
    Some(Declaration { krate, attrs, vis: head.vis, name: head.name, user, claims, settings })
}

struct Head {
    attrs: Vec<Attribute>,
    vis: Visibility,
    name: Ident,
    rest: TokenStream,
}

fn head(input: ParseStream<'_>) -> syn::Result<Head> {
    const EXPECTED: &str = "expected a declaration: write `pub struct Auth { upstream: { base_url: .. } }`";
    if input.is_empty() {
        return Err(syn::Error::new(proc_macro2::Span::call_site(), EXPECTED));
    }
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    if !input.peek(Token![struct]) {
        return Err(syn::Error::new(
            input.span(),
            not_a_struct(input).unwrap_or_else(|| EXPECTED.to_owned()),
        ));
    }
    input.parse::<Token![struct]>()?;
    if input.peek(Token![<]) {
        return Err(
            input.error("the types stand behind the name: write `struct Auth<User = AppUser> { .. }`")
        );
    }
    let name = input.parse().map_err(|error: syn::Error| {
        syn::Error::new(error.span(), "expected the name of the type: write `struct Auth { .. }`")
    })?;
    Ok(Head { attrs, vis, name, rest: input.parse()? })
}

/// What to say of something that only looks like a declaration.
fn not_a_struct(input: ParseStream<'_>) -> Option<String> {
    if input.peek(Token![<]) {
        return Some(
            "the types stand behind the name: write `struct Auth<User = AppUser> { .. }`".to_owned(),
        );
    }
    let word: Ident = input.fork().call(syn::ext::IdentExt::parse_any).ok()?;
    let options = input.peek2(Token![:]);
    let item = ["enum", "union", "trait", "type", "fn", "mod", "impl", "static", "const", "async"]
        .iter()
        .any(|k| word == k);
    if options {
        Some(
            "the options stand in the braces of a type: write `pub struct Auth { .. }` around them"
                .to_owned(),
        )
    } else if item {
        Some(format!(
            "a proxy is declared as a struct: write `pub struct Auth {{ .. }}` in place of the `{word}`"
        ))
    } else {
        Some(format!("`struct` is missing: write `pub struct {word} {{ .. }}`"))
    }
}

/// Refuses the derives of what is implemented here, and leaves them out.
fn without_our_derives(attrs: Vec<Attribute>, errors: &mut Errors) -> Vec<Attribute> {
    let ours = |attr: &Attribute| {
        let words: Vec<Ident> = match &attr.meta {
            syn::Meta::List(list) if attr.path().is_ident("derive") => list
                .tokens
                .clone()
                .into_iter()
                .filter_map(|token| match token {
                    TokenTree::Ident(word) if word == "Clone" || word == "Debug" => Some(word),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        words
    };
    attrs
        .into_iter()
        .filter(|attr| {
            let words = ours(attr);
            for word in &words {
                errors.at(word, format!("every proxy is `{word}` already: remove it from the derive"));
            }
            words.is_empty()
        })
        .collect()
}

/// `<User = .., Claims = ..>`, either of them optional.
fn type_arguments(between: &[TokenTree], errors: &mut Errors) -> (Option<Type>, Option<Type>) {
    let (mut user, mut claims) = (None, None);
    let Some(first) = between.first() else { return (user, claims) };
    let clause =
        between.iter().position(|token| matches!(token, TokenTree::Ident(ident) if ident == "where"));
    if let Some(clause) = clause {
        errors.at(between.get(clause), "a declaration has no `where` clause: remove it");
    }
    let between = between.get(..clause.unwrap_or(between.len())).unwrap_or_default();
    if !is_punct(Some(first), '<') {
        if clause != Some(0) {
            let message =
                "expected `{`: the options stand in braces, after optional `<User = .., Claims = ..>`";
            errors.at(first, message);
        }
        return (user, claims);
    }
    let inside = match between {
        [_, inside @ .., last] if is_punct(Some(last), '>') => inside,
        [_, inside @ ..] => {
            errors.at(first, "this `<` is not closed: write `<User = .., Claims = ..>` before the `{`");
            inside
        }
        [] => return (user, claims),
    };
    for argument in tokens::at_commas_outside_angles(inside) {
        let slot = match argument {
            [TokenTree::Ident(name), equals, ..] if is_punct(Some(equals), '=') => {
                match name.to_string().as_str() {
                    "User" => Some((&mut user, name)),
                    "Claims" => Some((&mut claims, name)),
                    other => {
                        errors.at(name, keys::unknown_type_argument(other));
                        None
                    }
                }
            }
            [apostrophe, ..] if is_punct(Some(apostrophe), '\'') => {
                let message = "a proxy has no lifetimes: write `User = ..` and `Claims = ..` only";
                errors.at(tokens::stream(argument), message);
                None
            }
            [TokenTree::Ident(word), ..] if word == "const" => {
                let message = "a proxy has no const parameters: write `User = ..` and `Claims = ..` only";
                errors.at(tokens::stream(argument), message);
                None
            }
            [TokenTree::Ident(name), colon, ..]
                if matches!(name.to_string().as_str(), "User" | "Claims")
                    && is_punct(Some(colon), ':')
                    && !is_punct(argument.get(2), ':') =>
            {
                let message =
                    format!("`{name}` is set to a type and has no bounds: write `{name} = App{name}`");
                errors.at(tokens::stream(argument), message);
                None
            }
            [TokenTree::Ident(name), ..] if nearest(&name.to_string(), ["user", "claims"]).is_some() => {
                errors.at(name, format!("`{name}` needs a type: write `{name} = App{name}`"));
                None
            }
            _ => {
                let tokens = tokens::stream(argument);
                errors.at(
                    &tokens,
                    format!("name what the type is for: write `User = {tokens}` or `Claims = {tokens}`"),
                );
                None
            }
        };
        let Some((slot, name)) = slot else { continue };
        if slot.is_some() {
            errors.at(name, format!("`{name}` is given twice: remove one"));
            continue;
        }
        match syn::parse2(tokens::stream(argument.get(2..).unwrap_or_default())) {
            Ok(ty) => *slot = Some(ty),
            Err(_) => errors.at(
                tokens::stream(argument).into_token_stream(),
                format!("expected a type after `{name} =`, such as `{name} = App{name}`"),
            ),
        }
    }
    (user, claims)
}
