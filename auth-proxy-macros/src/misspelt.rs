//! [`Misspelt`]: a misspelt word for which rustc itself suggests the intended one.
//!
//! rustc offers a replacement where a field has a similar name. Editors apply it as a quick fix. The
//! message of a `compile_error!` is text only.

use auth_proxy_rules::{OptionKey, edit_distance};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// A word that is not one of those possible in its place, and similar to one of them.
pub(crate) struct Misspelt {
    word: Ident,
    words: Vec<Ident>,
    /// The type whose fields the possible words are. The message names it.
    owner: Ident,
}

impl Misspelt {
    /// A word that is misspelt for `meant`, which is one of `words`. `None` if rustc would not suggest `meant`.
    pub(crate) fn new(word: &Ident, meant: &str, words: &[&str], owner: &str) -> Option<Self> {
        let ident = |name: &str| Ident::new(name, Span::call_site());
        let text = word.to_string();
        (is_field(&text) && is_suggested(&text, meant)).then(|| Self {
            word: word.clone(),
            words: words.iter().map(|word| ident(word)).collect(),
            owner: ident(owner),
        })
    }

    /// A word that is misspelt for one of `words` in the value of an option. The message names the option, as
    /// `UpstreamHostWords` for `upstream.host`.
    pub(crate) fn value(word: &Ident, meant: &str, words: &[&str], option: OptionKey) -> Option<Self> {
        Self::new(word, meant, words, &format!("{}Words", camel_case(&option.to_string())))
    }

    /// Code that does not compile because of the misspelt word alone.
    ///
    /// The words are fields, also in place of a value: editors do not offer rustc's suggestion of a variant
    /// (`Applicability::HasPlaceholders`).
    pub(crate) fn into_tokens(self) -> TokenStream {
        let Self { word, words, owner } = self;
        // The name is long because a parameter with the name of a constant of the user is that constant.
        quote! {
            const _: () = {
                struct #owner { #(#words: (),)* }
                fn unknown_word(__auth_proxy_possible: #owner) {
                    __auth_proxy_possible.#word;
                }
            };
        }
    }
}

/// Whether the word can stand behind a dot, and names only itself there: a keyword is a syntax error, and `r#host` is the
/// field `host`.
fn is_field(word: &str) -> bool {
    !word.starts_with("r#") && syn::parse_str::<Ident>(word).is_ok()
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
    fn misspelt_word_stands_beside_the_possible_ones() {
        let key =
            Misspelt::new(&ident("timout"), "timeout", &["timeout", "host"], "UpstreamOptions").unwrap();
        let code = key.into_tokens().to_string();
        assert!(code.contains("struct UpstreamOptions { timeout : () , host : () , }"), "{code}");
        assert!(code.contains("_possible . timout ;"), "{code}");

        let word = Misspelt::value(&ident("databse"), "database", &["jwt", "database"], OptionKey::Strategy);
        let code = word.unwrap().into_tokens().to_string();
        assert!(
            code.contains("struct UpstreamSessionStrategyWords { jwt : () , database : () , }"),
            "{code}"
        );
        assert!(code.contains("_possible . databse ;"), "{code}");
    }

    #[test]
    fn keywords_and_raw_words_are_left_to_our_message() {
        for (word, meant) in [("static", "status"), ("struct", "strict")] {
            assert!(Misspelt::new(&ident(word), meant, &[meant], "Options").is_none(), "{word}");
        }
        let raw = Ident::new_raw("timeout", Span::call_site());
        assert!(Misspelt::new(&raw, "timeout", &["timeout"], "Options").is_none());
    }

    #[test]
    fn words_that_rustc_would_not_suggest_are_left_to_our_message() {
        for (word, meant) in [("HS265", "hs256"), ("b", "base_url"), ("cookie", "cookie_name")] {
            assert!(Misspelt::new(&ident(word), meant, &[meant], "Options").is_none(), "{word}");
        }
    }
}
