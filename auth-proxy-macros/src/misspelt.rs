//! [`Misspelt`]: a misspelt word for which rustc itself suggests the intended one.
//!
//! rustc offers a replacement where a field or a variant has a similar name. Editors apply it as a quick fix. The
//! message of a `compile_error!` is text only.

use auth_proxy_rules::{OptionKey, edit_distance};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// A word that is not one of those possible in its place, and similar to one of them.
pub(crate) struct Misspelt {
    word: Ident,
    words: Vec<Ident>,
    class: Class,
}

/// What rustc calls the words.
enum Class {
    /// Fields of the struct with this name.
    Fields(Ident),
    /// Variants of the enum with this name. The error labels the place of the name too.
    Variants(Ident),
}

impl Misspelt {
    /// A misspelt key: `meant` is one of `keys`, which are the fields of a struct named `owner` in the message.
    /// `None` if rustc would not suggest `meant`.
    pub(crate) fn key(word: &Ident, meant: &str, keys: &[&str], owner: &str) -> Option<Self> {
        let class = Class::Fields(Ident::new(owner, Span::call_site()));
        Self::new(word, meant, keys, class)
    }

    /// A misspelt word in the place of a value: `meant` is one of `words`, which the message names after `option`, such
    /// as `UpstreamHost` for `upstream.host`. `None` if rustc would not suggest `meant`.
    pub(crate) fn value(
        word: &Ident,
        meant: &str,
        words: &[&str],
        option: OptionKey,
        key: &Ident,
    ) -> Option<Self> {
        let class = Class::Variants(Ident::new(&camel_case(&option.to_string()), key.span()));
        Self::new(word, meant, words, class)
    }

    fn new(word: &Ident, meant: &str, words: &[&str], class: Class) -> Option<Self> {
        is_suggested(&word.to_string(), meant).then(|| Self {
            word: word.clone(),
            words: words.iter().map(|word| Ident::new(word, Span::call_site())).collect(),
            class,
        })
    }

    /// Code that does not compile because of the misspelt word alone.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let Self { word, words, class } = self;
        match class {
            Class::Fields(name) => {
                quote! {
                    const _: () = {
                        struct #name { #(#words: (),)* }
                        fn unknown_option(options: #name) {
                            options.#word;
                        }
                    };
                }
            }
            Class::Variants(name) => {
                // The enum has the span of the key: the error has a label at the definition.
                let definition = quote_spanned!(name.span()=> enum #name { #(#words),* });
                quote! {
                    const _: () = {
                        #[allow(non_camel_case_types)]
                        #definition
                        const UNKNOWN_WORD: #name = #name::#word;
                    };
                }
            }
        }
    }
}

/// Whether rustc suggests `meant` for `word`: it allows as many edits as a third of the letters of the word, and one at
/// least (`find_best_match_for_name` in
/// <https://github.com/rust-lang/rust/blob/1.95.0/compiler/rustc_span/src/edit_distance.rs>).
fn is_suggested(word: &str, meant: &str) -> bool {
    edit_distance(word, meant) <= word.len().max(3) / 3
}

/// Turns `session.cache_entries` into `SessionCacheEntries`.
fn camel_case(option: &str) -> String {
    option
        .split(['.', '_'])
        .flat_map(|part| {
            let mut letters = part.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ident(name: &str) -> Ident {
        Ident::new(name, Span::call_site())
    }

    #[test]
    fn misspelt_words_stand_beside_the_possible_ones() {
        let key =
            Misspelt::key(&ident("timout"), "timeout", &["timeout", "host"], "UpstreamOptions").unwrap();
        let code = key.into_tokens().to_string();
        assert!(code.contains("struct UpstreamOptions { timeout : () , host : () , }"), "{code}");
        assert!(code.contains("options . timout ;"), "{code}");

        let word = ident("databse");
        let key = ident("session_strategy");
        let word = Misspelt::value(&word, "database", &["jwt", "database"], OptionKey::Strategy, &key);
        let code = word.unwrap().into_tokens().to_string();
        assert!(code.contains("enum UpstreamSessionStrategy { jwt , database }"), "{code}");
        assert!(code.contains("UpstreamSessionStrategy :: databse ;"), "{code}");
    }

    #[test]
    fn words_that_rustc_would_not_suggest_are_left_to_our_message() {
        for (word, meant) in [("HS265", "hs256"), ("b", "base_url"), ("cookie", "cookie_name")] {
            assert!(Misspelt::key(&ident(word), meant, &[meant], "Options").is_none(), "{word}");
        }
    }
}
