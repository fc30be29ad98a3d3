//! Reads the entries of a block: `key: value` pairs and nested blocks.

use auth_proxy_rules::{Group, OptionKey, Shape};
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;

use super::model::{Block, Entry, Value};
use super::strings::string;
use super::{fetch, headers, key, keys, secrets, value};
use crate::errors::Errors;
use crate::tokens::{self, entry_key, is_punct};

/// Reads the top level of a block and the blocks in it.
pub(super) fn read(tokens: TokenStream, block: &mut Block, errors: &mut Errors) {
    Reader { block, errors, seen: Vec::new() }.group(Group::Top, tokens);
}

/// Reads entries one by one and continues after each mistake.
struct Reader<'a> {
    block: &'a mut Block,
    errors: &'a mut Errors,
    /// The full names of the options and blocks so far.
    seen: Vec<String>,
}

impl Reader<'_> {
    fn group(&mut self, group: Group, tokens: TokenStream) {
        let mut entries = tokens::at_commas(tokens, self.errors).into_iter().peekable();
        while let Some(mut entry) = entries.next() {
            if group == Group::Upstream && fetch::is_entry(&entry) {
                // Keep the invisible groups of a `macro_rules!`: they preserve the precedence in an expression such as
                // `$a * 2`.
                fetch::join(&mut entry, &mut entries);
            } else {
                entry = tokens::flatten(&entry);
            }
            self.entry(group, &entry);
        }
    }

    /// Reads one entry, and the next one if only the comma between them is missing.
    fn entry(&mut self, group: Group, entry: &[TokenTree]) {
        if let [TokenTree::Ident(env), TokenTree::Group(_), ..] = entry
            && env == "env"
        {
            self.block.is_unreadable = true;
            return self.errors.at(
                tokens::stream(entry),
                "expected `key: value`: several secrets are a list, write `secret: [env(\"AUTH_SECRET\"), env(\"AUTH_SECRET_OLD\")]`",
            );
        }
        if let [TokenTree::Ident(key)] = entry {
            keys::report_half_typed(group, key, self.errors);
            self.block.is_unreadable = true;
            return;
        }
        let Some((key, rest)) = self.key(entry) else { return };
        let name = key.to_string();
        if keys::is_block(group, &name) {
            return self.read_block(&key, rest);
        }
        let option = match OptionKey::find(group, &name) {
            Some(option) if self.is_first(&option.to_string(), &key) => option,
            Some(option) => return self.read_repeated(option, &key, rest),
            None => {
                keys::report_unknown(group, &key, self.errors);
                // Read the entry as the intended option, so that the option is not reported as missing too.
                match keys::meant(group, &name) {
                    Some(option) => option,
                    None => match keys::meant_block(group, &name) {
                        Some(block) if tokens::group(rest.first(), Delimiter::Brace).is_some() => {
                            return self.read_block(&Ident::new(block, key.span()), rest);
                        }
                        _ => {
                            self.block.misplaced.extend(keys::meant_elsewhere(group, &name));
                            // A block under another name: required options may be in it.
                            self.block.is_unreadable |=
                                tokens::group(rest.first(), Delimiter::Brace).is_some();
                            return self.skip_value(group, rest);
                        }
                    },
                }
            }
        };
        // A URL without quotes: what follows its `//` is a comment.
        if let [TokenTree::Ident(scheme), _, behind @ ..] = rest
            && (scheme == "http" || scheme == "https")
            && entry_key(rest).is_some()
        {
            self.errors
                .at(scheme, format!("the value is in quotes: write `{}: \"{scheme}://..\"`", option.key()));
            self.add_option(option, key, None);
            if !behind.is_empty() {
                self.entry(group, behind);
            }
            return;
        }
        // Nothing or another key follows the colon: the user is still typing this entry.
        if rest.is_empty() || entry_key(rest).is_some() {
            self.errors.at(
                &key,
                format!("`{option}` needs a value: write `{}: {}`", option.key(), option.example()),
            );
            self.add_option(option, key, None);
            if !rest.is_empty() {
                self.entry(group, rest);
            }
            return;
        }
        let rest = match option.shape() {
            Shape::Expression => {
                fetch::read(&key, rest, self.block, self.errors);
                &[]
            }
            Shape::Headers => headers::read(&key, rest, self.block, self.errors),
            Shape::Secret => {
                let rest = secrets::read(option, rest, self.block, self.errors);
                self.add_option(option, key, None);
                rest
            }
            _ => {
                let (value, rest) = value::read(option, rest, self.errors);
                self.add_option(option, key, value);
                rest
            }
        };
        self.missing_comma(group, rest);
    }

    /// Reads the value of an option that is set already, only to report the mistakes in it.
    fn read_repeated(&mut self, option: OptionKey, key: &Ident, rest: &[TokenTree]) {
        if matches!(option.shape(), Shape::Expression | Shape::Headers | Shape::Secret) {
            return;
        }
        if rest.is_empty() {
            return self.errors.at(
                key,
                format!("`{option}` needs a value: write `{}: {}`", option.key(), option.example()),
            );
        }
        let (_, rest) = value::read(option, rest, self.errors);
        self.missing_comma(option.group(), rest);
    }

    /// Skips the value of an unknown key. Another entry can follow it if a comma is missing.
    fn skip_value(&mut self, group: Group, rest: &[TokenTree]) {
        let next = rest.iter().skip(1).position(|token| is_punct(Some(token), ':'));
        let rest = next.and_then(|at| rest.get(at..)).unwrap_or_default();
        if entry_key(rest).is_some() {
            self.missing_comma(group, rest);
        }
    }

    fn add_option(&mut self, option: OptionKey, key: Ident, value: Option<Value>) {
        self.block.options.push(Entry { option, key, value });
    }

    fn missing_comma(&mut self, group: Group, rest: &[TokenTree]) {
        let Some(first) = rest.first() else { return };
        if entry_key(rest).is_some() {
            self.errors.at(first, "expected `,` before this entry");
            self.entry(group, rest);
        } else {
            self.errors.at(tokens::stream(rest), "expected `,` after the value");
        }
    }

    /// The key of an entry and the tokens of its value. Reports mistakes in the key.
    fn key<'t>(&mut self, entry: &'t [TokenTree]) -> Option<(Ident, &'t [TokenTree])> {
        let reading = key::read(entry);
        for mistake in reading.mistakes {
            self.errors.at(mistake.tokens, mistake.message);
        }
        self.block.is_unreadable |= reading.is_unreadable;
        reading.entry
    }

    fn is_first(&mut self, name: &str, key: &Ident) -> bool {
        let first = !self.seen.iter().any(|seen| seen == name);
        if first {
            self.seen.push(name.to_owned());
        } else {
            self.errors.at(key, format!("`{name}` is set twice: remove one"));
        }
        first
    }

    fn read_block(&mut self, key: &Ident, rest: &[TokenTree]) {
        // Read a second block too: its options would be reported as missing otherwise.
        if self.seen.iter().any(|seen| key == seen) {
            self.errors.at(key, format!("`{key}` is set twice: write everything in one `{key}: {{ .. }}`"));
        }
        self.seen.push(key.to_string());
        let Some(group) = Group::block(&key.to_string()) else { return };
        if group == Group::Upstream && self.block.upstream.is_none() {
            self.block.upstream = Some(key.clone());
        }
        match tokens::group(rest.first(), Delimiter::Brace) {
            Some(inner) => {
                self.group(group, inner);
                self.missing_comma(Group::Top, rest.get(1..).unwrap_or_default());
            }
            None => {
                let at = if rest.is_empty() { key.to_token_stream() } else { tokens::stream(rest) };
                self.errors.at(at, keys::no_block(group, string(rest).as_deref()));
                self.block.is_unreadable = true;
            }
        }
    }
}
