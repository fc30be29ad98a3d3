use auth_proxy_rules::OptionKey;
use proc_macro2::{Delimiter, Ident, Literal, TokenTree};
use syn::{Expr, LitStr};

use super::entries::Reader;
use super::model::Header;
use super::value;
use crate::tokens::{self, is_punct};

/// The options that are no single value: a client, a map of headers, a list of secrets.
impl Reader<'_> {
    pub(super) fn fetch(&mut self, key: &Ident, rest: &[TokenTree]) {
        if let [TokenTree::Ident(env), TokenTree::Group(_)] = rest
            && env == "env"
        {
            let message =
                format!("`{key}` is a client and not a text: write an expression such as `my_client()`");
            return self.errors.at(tokens::stream(rest), message);
        }
        match syn::parse2::<Expr>(tokens::stream(rest)) {
            Ok(expr) => self.settings.fetch = Some(expr),
            Err(_) => {
                let message = format!(
                    "`{key}` takes a Rust expression, such as `{key}: {}`",
                    OptionKey::Fetch.example()
                );
                self.errors.at(tokens::stream(rest), message);
            }
        }
    }

    pub(super) fn headers<'t>(&mut self, key: &Ident, rest: &'t [TokenTree]) -> &'t [TokenTree] {
        let Some(inner) = tokens::group(rest.first(), Delimiter::Brace) else {
            let example = OptionKey::Headers.example();
            self.errors.at(tokens::stream(rest), format!("`{key}` is a map: write `{key}: {example}`"));
            return &[];
        };
        for piece in tokens::at_commas(inner, self.errors) {
            self.header(&tokens::flatten(&piece));
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
        if let [TokenTree::Literal(literal), equals, ..] = name
            && is_punct(Some(equals), '=')
        {
            return self.errors.at(equals, format!("write `{literal}: ..` with a colon"));
        }
        let [TokenTree::Literal(literal)] = name else {
            let text: String = name.iter().map(ToString::to_string).collect();
            let message = format!("a header name is a string: write `\"{text}\": ..`");
            return self.errors.at(tokens::stream(name), message);
        };
        let Some(name) = string(literal) else {
            return self.errors.at(literal, "a header name is a string, such as `\"x-api-key\"`");
        };
        if value.is_empty() {
            let message =
                format!("the header needs a value: write `{literal}: env(\"..\")` or `{literal}: \"..\"`");
            return self.errors.at(literal, message);
        }
        let (value, rest) = value::read(OptionKey::Headers, value, self.errors);
        self.settings.headers.push(Header { name, value });
        if !rest.is_empty() {
            self.errors.at(tokens::stream(rest), "expected `,` after the value");
        }
    }

    pub(super) fn secret<'t>(&mut self, key: &Ident, rest: &'t [TokenTree]) -> &'t [TokenTree] {
        let Some(list) = tokens::group(rest.first(), Delimiter::Bracket) else {
            let (secret, rest) = value::secret(rest, self.errors);
            self.settings.secrets.extend(secret);
            self.keep(OptionKey::Secret, key.clone(), None);
            return rest;
        };
        let pieces = tokens::at_commas(list, self.errors);
        if pieces.is_empty() {
            let message = "the list is empty: write `env(\"AUTH_SECRET\")`, or remove the option";
            self.errors.at(rest.first(), message);
        }
        for piece in pieces {
            let piece = tokens::flatten(&piece);
            let (secret, rest) = value::secret(&piece, self.errors);
            if let Some(secret) = secret {
                if self.settings.secrets.iter().any(|other| other.name.value() == secret.name.value()) {
                    let message = format!("`{}` is in the list already: remove one", secret.name.value());
                    self.errors.at(&secret.tokens, message);
                } else {
                    self.settings.secrets.push(secret);
                }
            }
            if !rest.is_empty() {
                self.errors.at(tokens::stream(rest), "expected `,` after the value");
            }
        }
        self.keep(OptionKey::Secret, key.clone(), None);
        rest.get(1..).unwrap_or_default()
    }
}

fn string(literal: &Literal) -> Option<LitStr> {
    match syn::Lit::new(literal.clone()) {
        syn::Lit::Str(text) => Some(text),
        _ => None,
    }
}
