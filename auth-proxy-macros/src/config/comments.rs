//! Removes comments that reach the macro as `#[doc = ".."]`: `///`, `//!`, `/** */`.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::tokens::{self, is_punct};

/// Removes the comments behind the first `struct` at any depth, where no documentation can stand. Those before it
/// document the type. A `//!` there is turned into `///`.
pub(super) fn without_comments_in_the_block(tokens: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let at = tokens.iter().position(|token| matches!(token, TokenTree::Ident(word) if word == "struct"));
    let (before, after) = tokens.split_at(at.unwrap_or_default());
    outer(before).into_iter().chain(without(tokens::stream(after))).collect()
}

/// Turns `#![doc ..]` into `#[doc ..]`.
fn outer(tokens: &[TokenTree]) -> Vec<TokenTree> {
    let mut out = Vec::new();
    let mut rest = tokens;
    while let [first, next @ ..] = rest {
        out.push(first.clone());
        rest = match comment(rest) {
            Some(3) => next.get(1..).unwrap_or_default(),
            _ => next,
        };
    }
    out
}

/// How many tokens the comment has that the tokens start with.
fn comment(tokens: &[TokenTree]) -> Option<usize> {
    let inner = is_punct(tokens.get(1), '!');
    let group = tokens.get(if inner { 2 } else { 1 });
    let content = tokens::group(group, Delimiter::Bracket)?;
    let is_doc = matches!(content.into_iter().next(), Some(TokenTree::Ident(word)) if word == "doc");
    (is_punct(tokens.first(), '#') && is_doc).then_some(if inner { 3 } else { 2 })
}

fn without(tokens: TokenStream) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut out = Vec::new();
    let mut rest = &tokens[..];
    while let [first, next @ ..] = rest {
        if let Some(length) = comment(rest) {
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        out.push(match first {
            TokenTree::Group(group) if has_comment(&group.stream()) => {
                let mut new = Group::new(group.delimiter(), without(group.stream()));
                new.set_span(group.span());
                TokenTree::Group(new)
            }
            token => token.clone(),
        });
        rest = next;
    }
    out.into_iter().collect()
}

/// Whether there is a comment at any depth. A group without one keeps its tokens and their spans.
fn has_comment(tokens: &TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    (0..tokens.len()).any(|at| {
        let here = tokens.get(at..).unwrap_or_default();
        comment(here).is_some()
            || matches!(here.first(), Some(TokenTree::Group(group)) if has_comment(&group.stream()))
    })
}
