//! Reads a declaration: attributes, visibility, name, types and block.

use auth_proxy_rules::OptionKey;
use proc_macro2::{Delimiter, Ident, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Token, Visibility};

use super::model::{Block, Declaration};
use super::type_arguments::Types;
use super::{comments, derives, entries, type_arguments};
use crate::errors::Errors;
use crate::tokens::{self, is_punct};

/// Reads a declaration. `None` if it has no readable name.
pub(super) fn declaration(input: TokenStream, errors: &mut Errors) -> Option<Declaration> {
    let mut tokens = input.into_iter();
    let krate = tokens::group(tokens.next().as_ref(), Delimiter::Parenthesis)?;
    let tokens = comments::without_comments_in_the_block(tokens.collect());
    let head = match Parser::parse2(head, tokens) {
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
        // `struct Auth;` and `struct Auth<User = A>;`: the missing options are reported below.
        [before @ .., semicolon] if body.is_none() && is_punct(Some(semicolon), ';') => before,
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
    let mut types = type_arguments::read(between, errors);
    let mut block = Block::default();
    match tokens::group(body, Delimiter::Brace) {
        Some(body) => {
            let body = type_arguments::read_in_braces(body, &head.name, &mut types, errors);
            entries::read(body, &mut block, errors);
        }
        None => {
            block.is_unreadable = true;
            let message = format!(
                "the options are missing: write `struct {} {{ upstream: {{ base_url: {} }} }}`",
                head.name,
                OptionKey::BaseUrl.example()
            );
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
    let attrs = derives::check(head.attrs, errors);
    let Types { user, claims } = types;
    Some(Declaration {
        krate,
        attrs,
        vis: head.vis,
        keyword: head.keyword,
        name: head.name,
        user,
        claims,
        block,
    })
}

const EXPECTED: &str =
    "expected a declaration: write `pub struct Auth { upstream: { base_url: env(\"AUTH_UPSTREAM_URL\") } }`";

struct Head {
    attrs: Vec<Attribute>,
    vis: Visibility,
    keyword: Token![struct],
    name: Ident,
    rest: TokenStream,
}

fn head(input: ParseStream<'_>) -> syn::Result<Head> {
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
    let keyword = input.parse()?;
    if input.peek(Token![<]) {
        return Err(input.error("the types come after the name: write `struct Auth<User = AppUser> { .. }`"));
    }
    let name = input.parse().map_err(|error: syn::Error| {
        syn::Error::new(error.span(), "expected the name of the type: write `struct Auth { .. }`")
    })?;
    Ok(Head { attrs, vis, keyword, name, rest: input.parse()? })
}

/// The message for tokens without `struct`, if they look like a declaration.
fn not_a_struct(input: ParseStream<'_>) -> Option<String> {
    if input.peek(Token![<]) {
        return Some("the types come after the name: write `struct Auth<User = AppUser> { .. }`".to_owned());
    }
    let word: Ident = input.fork().call(syn::ext::IdentExt::parse_any).ok()?;
    let options = input.peek2(Token![:]);
    let item = ["enum", "union", "trait", "type", "fn", "mod", "impl", "static", "const", "async"]
        .iter()
        .any(|k| word == k);
    // `export class Auth`
    let words = leading_words(input);
    if let ([_, .., name], false) = (words.as_slice(), item || word == "import") {
        let name = name.to_string();
        let is_type = name.starts_with(|c: char| c.is_ascii_uppercase());
        let name = if is_type { name.as_str() } else { "Auth" };
        Some(format!("a proxy is declared as a struct: write `pub struct {name} {{ .. }}`"))
    } else if options {
        Some(
            "the options belong in the braces of a type: write `pub struct Auth { .. }` around them"
                .to_owned(),
        )
    } else if item {
        Some(format!(
            "a proxy is declared as a struct: write `pub struct Auth {{ .. }}` in place of the `{word}`"
        ))
    } else if ["export", "import", "let"].iter().any(|k| word == k) {
        Some(EXPECTED.to_owned())
    } else {
        Some(format!("`struct` is missing: write `pub struct {word} {{ .. }}`"))
    }
}

fn leading_words(input: ParseStream<'_>) -> Vec<Ident> {
    let fork = input.fork();
    let mut words = Vec::new();
    while let Ok(word) = fork.call(<Ident as syn::ext::IdentExt>::parse_any) {
        words.push(word);
    }
    words
}
