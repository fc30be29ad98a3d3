use auth_proxy_rules::{Group, Opt, Shape};
use proc_macro2::{Delimiter, Ident, Literal, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, LitStr};

use super::model::{Header, Setting, Settings};
use super::split::{self, is_punct};
use super::{keys, value};
use crate::errors::Errors;

/// Reads the top level of a block and the blocks in it.
pub(super) fn block(tokens: TokenStream, settings: &mut Settings, errors: &mut Errors) {
    Reader { settings, errors, seen: Vec::new() }.group(Group::Top, tokens);
}

struct Reader<'a> {
    settings: &'a mut Settings,
    errors: &'a mut Errors,
    /// Every key so far, with its full name.
    seen: Vec<String>,
}

impl Reader<'_> {
    fn group(&mut self, group: Group, tokens: TokenStream) {
        let mut pieces = split::at_commas(tokens, self.errors).into_iter().peekable();
        while let Some(mut piece) = pieces.next() {
            piece = split::flatten(&piece);
            // Commas within an expression: `fetch` goes on until it makes an expression.
            if group == Group::Upstream && is_key(&piece, Opt::Fetch.key()) {
                while !is_expression(&piece) && pieces.peek().is_some_and(|next| key_of(next).is_none()) {
                    let comma = proc_macro2::Punct::new(',', proc_macro2::Spacing::Alone);
                    piece.push(TokenTree::Punct(comma));
                    piece.extend(pieces.next().into_iter().flatten());
                }
            }
            self.entry(group, &piece);
        }
    }

    /// `key: value`. Goes on with what follows the value when only a comma is missing.
    fn entry(&mut self, group: Group, piece: &[TokenTree]) {
        let Some((key, rest)) = self.key(piece) else { return };
        let name = key.to_string();
        if keys::is_block(group, &name) {
            return self.nested(&key, rest);
        }
        let option = match Opt::find(group, &name) {
            Some(option) if self.first_of(&option.to_string(), &key) => option,
            Some(_) => return,
            None => {
                self.errors.at(&key, keys::unknown(group, &name));
                // Read on as what was meant, so that it is not missed as well.
                match keys::meant(group, &name) {
                    Some(option) => option,
                    None => return self.skip_value(group, rest),
                }
            }
        };
        if rest.is_empty() {
            self.errors.at(&key, format!("`{option}` needs a value: write `{key}: {}`", option.example()));
            return self.keep(option, key, None);
        }
        let rest = match option.shape() {
            Shape::Expression => {
                self.fetch(&key, rest);
                &[]
            }
            Shape::Headers => self.headers(&key, rest),
            Shape::Secret => self.secret(&key, rest),
            _ => {
                let (value, rest) = value::read(option, rest, self.errors);
                self.keep(option, key, value);
                rest
            }
        };
        self.missing_comma(group, rest);
    }

    /// Passes over the value of a key that is unknown; only a missing comma can put another key here.
    fn skip_value(&mut self, group: Group, rest: &[TokenTree]) {
        let next = rest.iter().skip(1).position(|token| is_punct(Some(token), ':'));
        let rest = next.and_then(|at| rest.get(at..)).unwrap_or_default();
        if key_of(rest).is_some() {
            self.missing_comma(group, rest);
        }
    }

    fn keep(&mut self, option: Opt, key: Ident, value: Option<super::model::Value>) {
        self.settings.options.push(Setting { option, key, value });
    }

    fn missing_comma(&mut self, group: Group, rest: &[TokenTree]) {
        let Some(first) = rest.first() else { return };
        if key_of(rest).is_some() {
            self.errors.at(first, "expected `,` before this entry");
            self.entry(group, rest);
        } else {
            self.errors.at(split::stream(rest), "expected `,` after the value");
        }
    }

    /// The key of an entry and what follows its colon.
    fn key<'t>(&mut self, piece: &'t [TokenTree]) -> Option<(Ident, &'t [TokenTree])> {
        match piece {
            [TokenTree::Ident(key), colon, rest @ ..] if is_punct(Some(colon), ':') => {
                Some((key.clone(), rest))
            }
            [TokenTree::Ident(key), sign, rest @ ..] if is_punct(Some(sign), '=') => {
                self.errors.at(sign, format!("write `{key}: ..` with a colon"));
                Some((key.clone(), rest))
            }
            [TokenTree::Ident(key), rest @ ..] => {
                self.errors.at(key, format!("expected `{key}: ..`, a key with a colon and a value"));
                match rest.first() {
                    // `upstream { .. }`: plain what is meant.
                    Some(TokenTree::Group(_)) => Some((key.clone(), rest)),
                    _ => None,
                }
            }
            [TokenTree::Literal(literal), ..] => {
                let bare = literal.to_string();
                self.errors
                    .at(literal, format!("keys have no quotes here: write `{}: ..`", bare.trim_matches('"')));
                None
            }
            _ => {
                self.errors.at(split::stream(piece), "expected `key: value`");
                None
            }
        }
    }

    fn first_of(&mut self, name: &str, key: &Ident) -> bool {
        let first = !self.seen.iter().any(|seen| seen == name);
        if first {
            self.seen.push(name.to_owned());
        } else {
            self.errors.at(key, format!("`{name}` is set twice: remove one"));
        }
        first
    }

    fn nested(&mut self, key: &Ident, rest: &[TokenTree]) {
        if !self.first_of(&key.to_string(), key) {
            return;
        }
        let group = if key == Group::Session.key() { Group::Session } else { Group::Upstream };
        if group == Group::Upstream {
            self.settings.upstream = Some(key.clone());
        }
        match split::group(rest.first(), Delimiter::Brace) {
            Some(inner) => {
                self.group(group, inner);
                self.missing_comma(Group::Top, rest.get(1..).unwrap_or_default());
            }
            None => {
                let at = if rest.is_empty() { key.to_token_stream() } else { split::stream(rest) };
                self.errors.at(at, format!("`{key}` is a block: write `{key}: {{ .. }}`"));
                self.settings.unreadable = true;
            }
        }
    }

    fn fetch(&mut self, key: &Ident, rest: &[TokenTree]) {
        match syn::parse2::<Expr>(split::stream(rest)) {
            Ok(expr) => self.settings.fetch = Some(expr),
            Err(_) => {
                let message =
                    format!("`{key}` takes a Rust expression, such as `{key}: {}`", Opt::Fetch.example());
                self.errors.at(split::stream(rest), message);
            }
        }
    }

    fn headers<'t>(&mut self, key: &Ident, rest: &'t [TokenTree]) -> &'t [TokenTree] {
        let Some(inner) = split::group(rest.first(), Delimiter::Brace) else {
            let example = Opt::Headers.example();
            self.errors.at(split::stream(rest), format!("`{key}` is a map: write `{key}: {example}`"));
            return &[];
        };
        for piece in split::at_commas(inner, self.errors) {
            self.header(&split::flatten(&piece));
        }
        rest.get(1..).unwrap_or_default()
    }

    fn header(&mut self, piece: &[TokenTree]) {
        let colon = piece.iter().position(|token| is_punct(Some(token), ':'));
        let (name, value) = match colon {
            Some(at) => (piece.get(..at), piece.get(at + 1..).unwrap_or_default()),
            None => (Some(piece), &[][..]),
        };
        let name = name.unwrap_or_default();
        let [TokenTree::Literal(literal)] = name else {
            let text: String = name.iter().map(ToString::to_string).collect();
            let message = format!("a header name is a string: write `\"{text}\": ..`");
            return self.errors.at(split::stream(name), message);
        };
        let Some(name) = string(literal) else {
            return self.errors.at(literal, "a header name is a string, such as `\"x-api-key\"`");
        };
        if value.is_empty() {
            let message =
                format!("the header needs a value: write `{literal}: env(\"..\")` or `{literal}: \"..\"`");
            return self.errors.at(literal, message);
        }
        let (value, rest) = value::read(Opt::Headers, value, self.errors);
        self.settings.headers.push(Header { name, value });
        if !rest.is_empty() {
            self.errors.at(split::stream(rest), "expected `,` after the value");
        }
    }

    fn secret<'t>(&mut self, key: &Ident, rest: &'t [TokenTree]) -> &'t [TokenTree] {
        let Some(list) = split::group(rest.first(), Delimiter::Bracket) else {
            let (secret, rest) = value::secret(rest, self.errors);
            self.settings.secrets.extend(secret);
            self.keep(Opt::Secret, key.clone(), None);
            return rest;
        };
        let pieces = split::at_commas(list, self.errors);
        if pieces.is_empty() {
            let message = "the list is empty: write `env(\"AUTH_SECRET\")`, or remove the option";
            self.errors.at(rest.first(), message);
        }
        for piece in pieces {
            let piece = split::flatten(&piece);
            let (secret, rest) = value::secret(&piece, self.errors);
            self.settings.secrets.extend(secret);
            if !rest.is_empty() {
                self.errors.at(split::stream(rest), "expected `,` after the value");
            }
        }
        self.keep(Opt::Secret, key.clone(), None);
        rest.get(1..).unwrap_or_default()
    }
}

fn is_key(piece: &[TokenTree], name: &str) -> bool {
    key_of(piece).is_some_and(|key| key == name)
}

/// The key, when these tokens start as an entry does: `key:` and not the path `key::`.
fn key_of(piece: &[TokenTree]) -> Option<&Ident> {
    match piece {
        [TokenTree::Ident(key), colon, rest @ ..]
            if is_punct(Some(colon), ':') && !is_punct(rest.first(), ':') =>
        {
            Some(key)
        }
        _ => None,
    }
}

fn is_expression(piece: &[TokenTree]) -> bool {
    piece.get(2..).is_some_and(|value| syn::parse2::<Expr>(split::stream(value)).is_ok())
}

fn string(literal: &Literal) -> Option<LitStr> {
    match syn::Lit::new(literal.clone()) {
        syn::Lit::Str(text) => Some(text),
        _ => None,
    }
}
