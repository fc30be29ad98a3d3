use auth_proxy_rules::{Group, OptionKey, Shape, snake_case};
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

use super::model::{Setting, Settings};
use super::{keys, value};
use crate::errors::Errors;
use crate::tokens::{self, entry_key, is_punct};

/// Reads the top level of a block and the blocks in it.
pub(super) fn block(tokens: TokenStream, settings: &mut Settings, errors: &mut Errors) {
    Reader { settings, errors, seen: Vec::new() }.group(Group::Top, tokens);
}

/// Reads entries one by one; what takes more than a value is in `lists`.
pub(super) struct Reader<'a> {
    pub(super) settings: &'a mut Settings,
    pub(super) errors: &'a mut Errors,
    /// Every key so far, with its full name.
    seen: Vec<String>,
}

impl Reader<'_> {
    fn group(&mut self, group: Group, tokens: TokenStream) {
        let mut pieces = tokens::at_commas(tokens, self.errors).into_iter().peekable();
        while let Some(mut piece) = pieces.next() {
            // What a `macro_rules!` hands on as one is one: `$a * 2` of an expression stays so.
            if group != Group::Upstream || !is_key(&piece, OptionKey::Fetch.key()) {
                piece = tokens::flatten(&piece);
            } else {
                // Commas within an expression: `fetch` goes on until it makes an expression.
                while !is_expression(&piece) && pieces.peek().is_some_and(|next| entry_key(next).is_none()) {
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
        let option = match OptionKey::find(group, &name) {
            Some(option) if self.first_of(&option.to_string(), &key) => option,
            Some(option) => return self.again(option, &key, rest),
            None => {
                self.errors.at(&key, keys::unknown(group, &name));
                // Read on as what was meant, so that it is not missed as well.
                match keys::meant(group, &name) {
                    Some(option) => option,
                    None => match keys::meant_block(group, &name) {
                        Some(block) => return self.nested(&Ident::new(block, key.span()), rest),
                        None => return self.skip_value(group, rest),
                    },
                }
            }
        };
        // Half typed, with nothing or the next key behind the colon.
        if rest.is_empty() || entry_key(rest).is_some() {
            self.errors.at(&key, format!("`{option}` needs a value: write `{key}: {}`", option.example()));
            self.keep(option, key, None);
            if !rest.is_empty() {
                self.entry(group, rest);
            }
            return;
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

    /// Reads an option that is set already, for the mistakes in it.
    fn again(&mut self, option: OptionKey, key: &Ident, rest: &[TokenTree]) {
        if matches!(option.shape(), Shape::Expression | Shape::Headers | Shape::Secret) {
            return;
        }
        if rest.is_empty() {
            return self
                .errors
                .at(key, format!("`{option}` needs a value: write `{key}: {}`", option.example()));
        }
        let (_, rest) = value::read(option, rest, self.errors);
        self.missing_comma(option.group(), rest);
    }

    /// Passes over the value of a key that is unknown; only a missing comma can put another key here.
    fn skip_value(&mut self, group: Group, rest: &[TokenTree]) {
        let next = rest.iter().skip(1).position(|token| is_punct(Some(token), ':'));
        let rest = next.and_then(|at| rest.get(at..)).unwrap_or_default();
        if entry_key(rest).is_some() {
            self.missing_comma(group, rest);
        }
    }

    pub(super) fn keep(&mut self, option: OptionKey, key: Ident, value: Option<super::model::Value>) {
        self.settings.options.push(Setting { option, key, value });
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

    /// The key of an entry and what follows its colon.
    fn key<'t>(&mut self, piece: &'t [TokenTree]) -> Option<(Ident, &'t [TokenTree])> {
        match piece {
            [hash, TokenTree::Group(attribute), rest @ ..] if is_punct(Some(hash), '#') => {
                // A `///` in front of an option is a comment like any other.
                let first = attribute.stream().into_iter().next();
                if !matches!(first, Some(TokenTree::Ident(word)) if word == "doc") {
                    self.errors.at(
                        tokens::stream(&[hash.clone(), piece.get(1)?.clone()]),
                        "options have no attributes: remove it",
                    );
                }
                if rest.is_empty() { None } else { self.key(rest) }
            }
            [TokenTree::Ident(key), colon, second, rest @ ..]
                if tokens::is_joint(colon, ':') && is_punct(Some(second), ':') =>
            {
                self.errors.at(
                    tokens::stream(&[colon.clone(), second.clone()]),
                    format!("write `{key}: ..` with one colon"),
                );
                Some((key.clone(), rest))
            }
            [TokenTree::Ident(key), equals, arrow, rest @ ..]
                if is_punct(Some(equals), '=') && is_punct(Some(arrow), '>') =>
            {
                self.errors.at(
                    tokens::stream(&[equals.clone(), arrow.clone()]),
                    format!("write `{key}: ..` with a colon"),
                );
                Some((key.clone(), rest))
            }
            [TokenTree::Ident(outer), dot, TokenTree::Ident(inner), ..] if is_punct(Some(dot), '.') => {
                self.errors.at(
                    tokens::stream(piece.get(..3)?),
                    format!("a key is one word: write `{outer}: {{ {inner}: .. }}`"),
                );
                self.settings.unreadable = true;
                None
            }
            [TokenTree::Ident(_), dash, TokenTree::Ident(_), ..] if is_punct(Some(dash), '-') => {
                let words = piece.iter().position(|token| is_punct(Some(token), ':')).unwrap_or(piece.len());
                let key = piece.get(..words)?;
                let text: String = key.iter().map(ToString::to_string).collect();
                let snake = snake_case(&text);
                self.errors.at(tokens::stream(key), format!("`{text}` is spelled `{snake}`"));
                let spelled = syn::parse_str::<Ident>(&snake).ok()?;
                Some((Ident::new(&spelled.to_string(), piece.first()?.span()), piece.get(words + 1..)?))
            }
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
            [TokenTree::Literal(literal), rest @ ..] => {
                let bare = literal.to_string();
                let bare = bare.trim_matches('"');
                self.errors.at(literal, format!("keys have no quotes here: write `{bare}: ..`"));
                let key = syn::parse_str::<Ident>(bare).ok()?;
                let (colon, rest) = rest.split_first()?;
                is_punct(Some(colon), ':').then(|| (Ident::new(&key.to_string(), literal.span()), rest))
            }
            [dot, next, ..] if is_punct(Some(dot), '.') && is_punct(Some(next), '.') => {
                self.errors
                    .at(tokens::stream(piece), "what is left out has its default already: remove the `..`");
                None
            }
            _ => {
                self.errors.at(tokens::stream(piece), "expected `key: value`");
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
        // The options of a second block count all the same, so that none is missed.
        if self.seen.iter().any(|seen| key == seen) {
            self.errors
                .at(key, format!("`{key}` is there already: write everything in one `{key}: {{ .. }}`"));
        }
        self.seen.push(key.to_string());
        let Some(group) = Group::block(&key.to_string()) else { return };
        if group == Group::Upstream && self.settings.upstream.is_none() {
            self.settings.upstream = Some(key.clone());
        }
        match tokens::group(rest.first(), Delimiter::Brace) {
            Some(inner) => {
                self.group(group, inner);
                self.missing_comma(Group::Top, rest.get(1..).unwrap_or_default());
            }
            None => {
                let at = if rest.is_empty() { key.to_token_stream() } else { tokens::stream(rest) };
                self.errors.at(at, format!("`{key}` is a block: write `{key}: {{ .. }}`"));
                self.settings.unreadable = true;
            }
        }
    }
}

fn is_key(piece: &[TokenTree], name: &str) -> bool {
    entry_key(piece).is_some_and(|key| key == name)
}

fn is_expression(piece: &[TokenTree]) -> bool {
    piece.get(2..).is_some_and(|value| syn::parse2::<Expr>(tokens::stream(value)).is_ok())
}
