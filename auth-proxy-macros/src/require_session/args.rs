//! Reads the arguments of `#[require_session]`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Path, Type};

use crate::errors::Errors;
use crate::tokens::{at_commas_outside_angles, stream};

/// The arguments, with defaults for those that are left out.
pub(super) struct Args {
    pub(super) krate: TokenStream,
    pub(super) provider: TokenStream,
    pub(super) policy: Option<Type>,
    pub(super) span: Span,
}

/// Reads `[AuthProxy [, Policy]] [, crate = ::path]`. Continues after a mistake.
pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let span = Span::call_site();
    let mut args = Args {
        krate: quote!(::auth_proxy),
        provider: proc_macro2::Ident::new("Auth", span).to_token_stream(),
        policy: None,
        span,
    };
    let mut types = 0;
    let mut krate_is_set = false;
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for piece in at_commas_outside_angles(&tokens) {
        match piece {
            [TokenTree::Ident(key), TokenTree::Punct(equals), path @ ..]
                if key == "crate" && equals.as_char() == '=' =>
            {
                if krate_is_set {
                    errors.at(key, "`crate` is set twice: remove one");
                }
                krate_is_set = true;
                match crate_path(path) {
                    Ok(path) => args.krate = path.into_token_stream(),
                    Err(message) => errors.at(stream(piece), message),
                }
            }
            [TokenTree::Ident(key), TokenTree::Punct(equals), ..] if equals.as_char() == '=' => {
                errors.at(stream(piece), format!("unknown argument `{key}`: {EXPECTED}"));
            }
            [TokenTree::Literal(literal)] => {
                let bare = literal.to_string();
                let name = bare.trim_matches('"');
                let message = if !bare.starts_with('"') {
                    EXPECTED.to_owned()
                } else if name.starts_with(|c: char| c.is_ascii_uppercase()) {
                    format!("types have no quotes here: write `{name}`")
                } else {
                    // The name of a role is no type: `"admin"`.
                    "a policy is a type that implements `Policy<Auth>`, and no text: write its name, such as `Admin`"
                        .to_owned()
                };
                errors.at(literal, message);
            }
            piece => match syn::parse2::<Type>(stream(piece)) {
                Ok(ty @ Type::Path(_)) => {
                    types += 1;
                    match types {
                        1 => args.provider = ty.into_token_stream(),
                        2 => args.policy = Some(ty),
                        _ => errors.at(ty, format!("too many arguments: {EXPECTED}")),
                    }
                }
                _ => errors.at(stream(piece), EXPECTED),
            },
        }
    }
    args
}

const EXPECTED: &str = "expected `#[require_session]`, `#[require_session(Auth)]` or `#[require_session(Auth, Policy)]`, \
     and after that `crate = ::path`";

fn crate_path(path: &[TokenTree]) -> Result<Path, String> {
    let given: String = path.iter().map(ToString::to_string).collect();
    let parsed = Parser::parse2(|input: ParseStream<'_>| input.call(Path::parse_mod_style), stream(path));
    match parsed {
        Ok(path) if path.leading_colon.is_some() => Ok(path),
        Ok(path) if path.segments.first().is_some_and(|segment| segment.ident == "crate") => Ok(path),
        Ok(_) => Err(format!(
            "the path is absolute, so that it means the same everywhere: write `crate = ::{given}`"
        )),
        Err(_) => Err("expected an absolute path: write `crate = ::auth_proxy`".to_owned()),
    }
}
