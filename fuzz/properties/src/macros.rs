use auth_proxy_fuzz_macros::{auth_proxy, require_session};
use proc_macro2::TokenStream;

/// Input: the tokens in `auth_proxy! { .. }`.
///
/// Property: the macro expands or rejects them, and its output is valid Rust. Expressions and types of the input are
/// left to the compiler.
pub fn config(data: &[u8]) {
    let Some(input) = tokens(data) else { return };
    let output = auth_proxy(tokens(b"(::auth_proxy)").into_iter().flatten().chain(input).collect());
    assert!(!output.is_empty(), "the macro returned no tokens");
    let checked_by_rustc = ["fetch", "#", "<", "pub", "$", "'"].iter().any(|word| contains(data, word));
    assert!(checked_by_rustc || parses(output.clone()), "{output}");
}

/// Input: the arguments of `#[require_session(..)]` on the first line, then the item.
///
/// Property: valid Rust stays valid Rust.
pub fn guard(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (args, item) = data.split_at(end);
    let (Some(args), Some(item)) = (tokens(args), tokens(item)) else { return };
    let output = require_session(args.clone(), item.clone());
    if parses(item) && syn::parse2::<TypeList>(args).is_ok() {
        assert!(parses(output.clone()), "{output}");
    }
}

/// The syntax of valid arguments: a list of types.
struct TypeList;

impl syn::parse::Parse for TypeList {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        syn::punctuated::Punctuated::<syn::Type, syn::Token![,]>::parse_terminated(input)?;
        Ok(Self)
    }
}

fn tokens(data: &[u8]) -> Option<TokenStream> {
    std::str::from_utf8(data).ok()?.parse().ok()
}

fn parses(tokens: TokenStream) -> bool {
    syn::parse2::<syn::File>(tokens).is_ok()
}

fn contains(data: &[u8], word: &str) -> bool {
    data.windows(word.len()).any(|window| window == word.as_bytes())
}
