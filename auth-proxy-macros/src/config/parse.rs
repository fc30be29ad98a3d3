use auth_proxy_rules::nearest;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Token, Type, Visibility};

use super::model::{Declaration, Settings};
use super::split::{self, is_punct};
use super::{entries, keys};
use crate::errors::Errors;

/// Reads a block. `None` when not even the name of the type can be made out.
pub(super) fn declaration(input: TokenStream, errors: &mut Errors) -> Option<Declaration> {
    let mut tokens = input.into_iter();
    let krate = split::group(tokens.next().as_ref(), Delimiter::Parenthesis)?;
    let head = match Parser::parse2(head, tokens.collect()) {
        Ok(head) => head,
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    let rest = split::flatten(&head.rest.into_iter().collect::<Vec<_>>());
    let body = rest.iter().position(|token| split::group(Some(token), Delimiter::Brace).is_some());
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
    let (user, claims) = type_arguments(between, errors);
    let mut settings = Settings::default();
    match split::group(body, Delimiter::Brace) {
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
    Some(Declaration { krate, attrs: head.attrs, vis: head.vis, name: head.name, user, claims, settings })
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
        return Err(input.error(EXPECTED));
    }
    input.parse::<Token![struct]>()?;
    let name = input.parse().map_err(|error: syn::Error| {
        syn::Error::new(error.span(), "expected the name of the type: write `struct Auth { .. }`")
    })?;
    Ok(Head { attrs, vis, name, rest: input.parse()? })
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
    for argument in split::type_arguments(inside) {
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
            [TokenTree::Ident(name), ..] if nearest(&name.to_string(), ["user", "claims"]).is_some() => {
                errors.at(name, format!("`{name}` needs a type: write `{name} = App{name}`"));
                None
            }
            _ => {
                let tokens = split::stream(argument);
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
        match syn::parse2(split::stream(argument.get(2..).unwrap_or_default())) {
            Ok(ty) => *slot = Some(ty),
            Err(_) => errors.at(
                split::stream(argument).into_token_stream(),
                format!("expected a type after `{name} =`, such as `{name} = App{name}`"),
            ),
        }
    }
    (user, claims)
}
