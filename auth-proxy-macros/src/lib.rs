//! x
use proc_macro::TokenStream;
/// x
#[proc_macro]
pub fn auth_proxy_internal(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
/// x
#[proc_macro_attribute]
pub fn require_session(_: TokenStream, item: TokenStream) -> TokenStream {
    item
}
