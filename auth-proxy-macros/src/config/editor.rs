//! Generates what an editor needs to show an option's documentation, to go to it, and to complete keys and words.
//!
//! rust-analyzer resolves a token of a macro call by what it becomes in the expansion. So the expansion names each key
//! once more as a field of a documented struct, and each bare word as a constant of a documented module, with the spans
//! of the declaration. An unfinished key is named too: that is what completion starts from.
//!
//! A build does not get these items: they would cost compile time, and rustc would report an unknown key twice.

use auth_proxy_rules::{Group, OptionKey, Shape};
use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::quote;

use crate::errors::Errors;
use crate::tokens::{self, is_punct};

/// The items for the block of a declaration.
pub(super) fn items(krate: &TokenStream, declaration: TokenStream) -> TokenStream {
    let block = declaration.into_iter().find_map(|token| tokens::group(Some(&token), Delimiter::Brace));
    let mut named = Named::default();
    named.read(Group::Top, block.unwrap_or_default());
    let structs = [
        (Group::Top, "Top"),
        (Group::Upstream, "Upstream"),
        (Group::Session, "Session"),
        (Group::Cors, "Cors"),
        (Group::Rewrite, "Rewrite"),
        (Group::Jwks, "Jwks"),
        (Group::Revocation, "Revocation"),
        (Group::SignInLimit, "SignInLimit"),
    ];
    let patterns = structs.iter().map(|(group, name)| {
        let name = Ident::new(name, Span::call_site());
        let keys = named.keys.iter().filter(|(of, _)| of == group).map(|(_, key)| key);
        quote! {
            fn options(#krate::__private::editor::#name { #(#keys: _,)* .. }: #krate::__private::editor::#name) {}
        }
    });
    let words = named.words.iter().map(|(option, word)| {
        let group = match option.group() {
            Group::Top => "top",
            group => group.key(),
        };
        let (group, key) =
            (Ident::new(group, Span::call_site()), Ident::new(option.key(), Span::call_site()));
        quote!(let _ = #krate::__private::editor::#group::#key::#word;)
    });
    quote! {
        #(#[allow(dead_code)] const _: () = { #patterns };)*
        #[allow(dead_code)]
        const _: () = {
            fn words() { #(#words)* }
        };
    }
}

/// The keys and bare words of a block, as they are written.
#[derive(Default)]
struct Named {
    keys: Vec<(Group, Ident)>,
    /// The word is missing while the user has typed the colon only.
    words: Vec<(OptionKey, Option<Ident>)>,
}

impl Named {
    fn read(&mut self, group: Group, block: TokenStream) {
        for entry in tokens::at_commas(block, &mut Errors::default()) {
            let entry = tokens::flatten(&entry);
            let Some((TokenTree::Ident(key), rest)) = entry.split_first() else { continue };
            // A pattern must not name a field twice.
            if self.keys.iter().all(|(of, other)| (*of, other) != (group, key)) {
                self.keys.push((group, key.clone()));
            }
            let value =
                rest.split_first().filter(|(colon, _)| is_punct(Some(colon), ':')).map(|(_, value)| value);
            let name = key.to_string();
            match (value, Group::block(&name).filter(|_| group == Group::Top), OptionKey::find(group, &name))
            {
                (Some([block, ..]), Some(inner), _) => {
                    if let Some(block) = tokens::group(Some(block), Delimiter::Brace) {
                        self.read(inner, block);
                    }
                }
                (Some([]), _, Some(option)) if takes_words(option) => self.words.push((option, None)),
                (Some([TokenTree::Ident(word)]), _, Some(option)) if takes_words(option) => {
                    self.words.push((option, Some(word.clone())));
                }
                _ => {}
            }
        }
    }
}

fn takes_words(option: OptionKey) -> bool {
    matches!(option.shape(), Shape::Word(_) | Shape::WordOrText(_))
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;

    use super::*;

    fn written(block: &str) -> String {
        items(&quote!(auth_proxy), block.parse().unwrap()).to_token_stream().to_string().replace(' ', "")
    }

    #[test]
    fn keys_and_words_are_named_with_their_block() {
        let items = written(
            r#"pub struct Auth { base_path: "/auth", upstream: { kind: authjs, base_url: env("URL"), tim, kind: robo } }"#,
        );
        for expected in [
            "editor::Top{base_path:_,upstream:_,..}",
            "editor::Upstream{kind:_,base_url:_,tim:_,..}",
            "editor::Session{..}",
            "let_=auth_proxy::__private::editor::upstream::kind::authjs;",
            "let_=auth_proxy::__private::editor::upstream::kind::robo;",
        ] {
            assert!(items.contains(expected), "{expected} in {items}");
        }
    }

    #[test]
    fn unfinished_block_gives_the_keys_so_far() {
        for block in
            ["struct Auth { upstream: { base", "struct Auth", "struct Auth { upstream }", "struct Auth { 1 }"]
        {
            let Ok(tokens) = block.parse::<TokenStream>() else { continue };
            items(&quote!(auth_proxy), tokens);
        }
        assert!(written("struct Auth { upstream: { base } }").contains("editor::Upstream{base:_,..}"));
    }
}
