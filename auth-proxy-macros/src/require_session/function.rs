//! Reads the function below `#[require_session]` and adds an argument to it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, FnArg, Pat, ReturnType, Signature, Token, Type, TypeParamBound, Visibility, parse_quote,
};

/// A function. Its body is not parsed: the compiler reports mistakes in it.
pub(super) struct Function {
    attrs: Vec<Attribute>,
    vis: Visibility,
    pub(super) signature: Signature,
    body: TokenStream,
}

impl Function {
    /// Whether the return type could be a future. Built-in types and the usual response types are not futures. For
    /// other types a macro cannot know.
    pub(super) fn may_return_a_future(&self) -> bool {
        const RESPONSES: [&str; 18] = [
            "bool",
            "Body",
            "Bytes",
            "Cow",
            "Form",
            "HeaderMap",
            "Html",
            "Json",
            "NoContent",
            "Option",
            "Redirect",
            "Response",
            "Result",
            "Sse",
            "StatusCode",
            "String",
            "Value",
            "Vec",
        ];
        let ReturnType::Type(_, ty) = &self.signature.output else { return false };
        match ty.as_ref() {
            Type::Reference(_) | Type::Tuple(_) | Type::Array(_) | Type::Slice(_) | Type::Never(_) => false,
            Type::ImplTrait(ty) => !ty.bounds.iter().any(|bound| {
                matches!(bound, TypeParamBound::Trait(bound)
                    if bound.path.segments.last().is_some_and(|last| last.ident == "IntoResponse"))
            }),
            Type::Path(path) => path
                .path
                .segments
                .last()
                .is_none_or(|last| !RESPONSES.contains(&last.ident.to_string().as_str())),
            _ => true,
        }
    }
}

/// Reads a function. Fails on other items, with what to write instead.
pub(super) fn parse(item: TokenStream) -> syn::Result<Function> {
    Parser::parse2(function, item)
}

fn function(input: ParseStream<'_>) -> syn::Result<Function> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    if let Some(message) = not_a_function(input) {
        return Err(input.error(message));
    }
    let signature = input.parse()?;
    let body: TokenStream = input.parse()?;
    match body.clone().into_iter().next() {
        Some(TokenTree::Group(group)) if is_body(&group) => {}
        _ => {
            let message =
                "a function without a body cannot be guarded: put `#[require_session]` on the handler itself";
            return Err(syn::Error::new_spanned(signature, message));
        }
    }
    Ok(Function { attrs, vis, signature, body })
}

/// Whether this is a block in braces. The `$body:block` of a `macro_rules!` is a block inside an invisible group.
fn is_body(group: &Group) -> bool {
    match group.delimiter() {
        Delimiter::Brace => true,
        Delimiter::None => match group.stream().into_iter().next() {
            Some(TokenTree::Group(inner)) => is_body(&inner),
            _ => false,
        },
        Delimiter::Parenthesis | Delimiter::Bracket => false,
    }
}

/// The message for an item that is not a function.
fn not_a_function(input: ParseStream<'_>) -> Option<&'static str> {
    let group = "`#[require_session]` guards one handler: put it on each function, or protect a group of routes \
                 with `.route_layer(auth.require_any_session())`";
    if is_closure(input) {
        return Some(
            "a closure cannot have this attribute: write `#[require_session] async fn`, or take the guard as the first \
             argument of the closure, `|_: RequireSession<Auth>|`",
        );
    }
    let is_group = input.peek(Token![mod])
        || input.peek(Token![impl])
        || input.peek(Token![trait])
        || (input.peek(Token![unsafe]) && (input.peek2(Token![impl]) || input.peek2(Token![trait])));
    if is_group {
        return Some(group);
    }
    let is_other = input.peek(Token![struct])
        || input.peek(Token![enum])
        || input.peek(Token![union]) && input.peek2(syn::Ident)
        || input.peek(Token![type])
        || input.peek(Token![use])
        || input.peek(Token![static])
        || input.peek(Token![let])
        || (input.peek(Token![const]) && input.peek2(syn::Ident))
        || is_call(input);
    is_other.then_some("`#[require_session]` goes on a handler function: write it above `async fn`")
}

/// Whether this is a closure or another expression, and not an item.
pub(super) fn is_expression(item: TokenStream) -> bool {
    let is_expression = |input: ParseStream<'_>| {
        input.call(Attribute::parse_outer)?;
        let is_expression = is_closure(input) || is_call(input);
        input.parse::<TokenStream>()?;
        Ok(is_expression)
    };
    Parser::parse2(is_expression, item).unwrap_or(false)
}

/// Whether this is the beginning of `get(page)`, `axum::routing::get(page)` or `router.route(..)`.
fn is_call(input: ParseStream<'_>) -> bool {
    let name = input.peek(syn::Ident) || input.peek(Token![self]) || input.peek(Token![crate]);
    name && (input.peek2(Token![::]) || input.peek2(Token![.]) || input.peek2(syn::token::Paren))
}

fn is_closure(input: ParseStream<'_>) -> bool {
    let bar = input.peek(Token![|]) || input.peek(Token![||]);
    let after_a_word = input.peek2(Token![|]) || input.peek2(Token![||]);
    let after_two_words = input.peek3(Token![|]) || input.peek3(Token![||]);
    bar || (input.peek(Token![move]) && after_a_word)
        || (input.peek(Token![async]) && (after_a_word || (input.peek2(Token![move]) && after_two_words)))
}

impl Function {
    /// Adds the `async`.
    pub(super) fn make_async(&mut self) {
        self.signature.asyncness = Some(Token![async](self.signature.fn_token.span));
    }

    /// Puts the last arguments into one, a tuple, so that there are at most so many.
    pub(super) fn join_last_arguments(&mut self, most: usize) {
        let mut arguments: Vec<FnArg> = std::mem::take(&mut self.signature.inputs).into_iter().collect();
        let last = arguments.split_off(most.saturating_sub(1).min(arguments.len()));
        let typed = last.iter().filter_map(|argument| match argument {
            FnArg::Typed(typed) => Some((&*typed.pat, &*typed.ty)),
            FnArg::Receiver(_) => None,
        });
        let (patterns, types): (Vec<&Pat>, Vec<&Type>) = typed.unzip();
        arguments.push(parse_quote!((#(#patterns),*): (#(#types),*)));
        self.signature.inputs = arguments.into_iter().collect();
    }

    /// Puts `_: ty` before the other arguments.
    pub(super) fn insert_first(&mut self, ty: &TokenStream) {
        let argument: FnArg = parse_quote!(_: #ty);
        self.signature.inputs.insert(0, argument);
    }

    pub(super) fn into_tokens(self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for attr in &self.attrs {
            attr.to_tokens(&mut tokens);
        }
        self.vis.to_tokens(&mut tokens);
        self.signature.to_tokens(&mut tokens);
        tokens.extend(self.body);
        tokens
    }
}
