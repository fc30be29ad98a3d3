//! Reads the function below `#[require_session]` and adds an argument to it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, FnArg, ReturnType, Signature, Token, Type, Visibility, parse_quote};

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
        const RESPONSES: [&str; 9] =
            ["bool", "Html", "Json", "Option", "Redirect", "Response", "Result", "StatusCode", "String"];
        let ReturnType::Type(_, ty) = &self.signature.output else { return false };
        match ty.as_ref() {
            Type::Reference(_) | Type::Tuple(_) | Type::Array(_) | Type::Slice(_) | Type::Never(_) => false,
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
                 with `.route_layer(auth.require())`";
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
        || (input.peek(Token![const]) && input.peek2(syn::Ident));
    is_other.then_some("`#[require_session]` goes on a handler function: write it above `async fn`")
}

impl Function {
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
