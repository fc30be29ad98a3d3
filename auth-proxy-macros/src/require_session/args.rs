//! Reads the arguments of `#[require_session]`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Path, Type};

use super::mistakes::{self, EXPECTED};
use super::rule::{self, Rule};
use crate::errors::Errors;
use crate::tokens::{at_commas_outside_angles, flatten, is_punct, stream};

/// The arguments, with defaults for those that are left out.
pub(super) struct Args {
    pub(super) krate: TokenStream,
    /// `None` stands for the proxy named `Auth`.
    pub(super) provider: Option<Type>,
    pub(super) policy: Option<Policy>,
    pub(super) span: Span,
}

/// The second argument: a type, or a rule.
pub(super) enum Policy {
    Type(Type),
    Rule(Rule),
}

impl Policy {
    /// The type that the guard has.
    pub(super) fn ty(&self) -> TokenStream {
        match self {
            Self::Type(ty) => ty.to_token_stream(),
            Self::Rule(rule) => rule.ty.clone(),
        }
    }

    /// The types that the user wrote.
    pub(super) fn written(&self) -> &[Type] {
        match self {
            Self::Type(ty) => std::slice::from_ref(ty),
            Self::Rule(rule) => &rule.policies,
        }
    }
}

impl Args {
    /// `Auth` or `Auth, Admin`, for messages.
    pub(super) fn types(&self) -> String {
        let provider = self.provider.as_ref().map_or_else(|| "Auth".to_owned(), mistakes::text);
        match &self.policy {
            Some(Policy::Type(policy)) => format!("{provider}, {}", mistakes::text(policy)),
            // A rule is no type that can be written.
            Some(Policy::Rule(_)) | None => provider,
        }
    }
}

/// Reads `[AuthProxy] [, Policy or rule] [, crate = ::path]`. Continues after a mistake, with the type that was meant.
pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let mut args =
        Args { krate: quote!(::auth_proxy), provider: None, policy: None, span: Span::call_site() };
    let mut types = 0;
    let mut krate_is_set = false;
    let mut rules = Vec::new();
    let tokens: Vec<TokenTree> = flatten(&tokens.into_iter().collect::<Vec<_>>());
    for piece in at_commas_outside_angles(&tokens) {
        match piece {
            [TokenTree::Ident(key), equals, path @ ..] if key == "crate" && is_punct(Some(equals), '=') => {
                if krate_is_set {
                    errors.at(key, "`crate` is set twice: remove one");
                }
                krate_is_set = true;
                match crate_path(path) {
                    Ok(path) => args.krate = path.into_token_stream(),
                    Err(message) => errors.at(stream(piece), message),
                }
            }
            [TokenTree::Ident(key)] if key == "crate" => errors.at(key, ABSOLUTE),
            piece if rule::is_rule(piece) => {
                if types > 1 || !rules.is_empty() {
                    errors.at(
                        stream(piece),
                        "only one rule stands here: put all of them into `all(..)` or `any(..)`",
                    );
                }
                types = 2;
                rules.push(piece);
            }
            piece => {
                let meant = match syn::parse2::<Type>(stream(piece)) {
                    Ok(ty @ Type::Path(_)) if !mistakes::is_call(piece) => vec![ty],
                    _ => {
                        let mistake = mistakes::explain(piece, types == 0);
                        errors.at(stream(piece), mistake.message);
                        mistake.meant
                    }
                };
                for ty in meant {
                    types += 1;
                    match types {
                        1 => args.provider = Some(ty),
                        2 => args.policy = Some(Policy::Type(ty)),
                        _ => errors.at(ty, format!("too many arguments: remove it; {EXPECTED}")),
                    }
                }
            }
        }
    }
    // The paths of its types begin with `crate`, which stands last.
    for piece in rules {
        args.policy = rule::parse(piece, &args.krate, errors).map(Policy::Rule).or(args.policy);
    }
    args
}

const ABSOLUTE: &str = "expected an absolute path: write `crate = ::auth_proxy`";

fn crate_path(path: &[TokenTree]) -> Result<Path, String> {
    let given: String = path.iter().map(ToString::to_string).collect();
    let parsed = Parser::parse2(|input: ParseStream<'_>| input.call(Path::parse_mod_style), stream(path));
    match parsed {
        Ok(path) if path.leading_colon.is_some() => Ok(path),
        Ok(path) if path.segments.first().is_some_and(|segment| segment.ident == "crate") => Ok(path),
        Ok(_) => Err(format!(
            "the path is absolute, so that it means the same everywhere: write `crate = ::{given}`"
        )),
        Err(_) => Err(ABSOLUTE.to_owned()),
    }
}
