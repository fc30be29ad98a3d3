//! Reads the part of TypeScript that a configuration is written in: objects, lists and the tokens of other values.

use std::iter::Peekable;
use std::str::Chars;

/// A token of the source. Comments are left out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A word or a number, such as `process`, `true` and `5_000`.
    Word(String),
    /// The text of a string in `"` or `'`.
    Text(String),
    /// The text of a string in backticks, with its `${..}`.
    Template(String),
    Sign(char),
}

#[derive(Debug)]
pub(super) enum Value {
    Object(Vec<(String, Value)>),
    List(Vec<Value>),
    Other(Vec<Token>),
}

/// Splits the source into tokens.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut chars = source.chars().peekable();
    let mut out = Vec::new();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            '/' if chars.next_if_eq(&'*').is_some() => {
                let mut before = ' ';
                while let Some(c) = chars.next()
                    && (before, c) != ('*', '/')
                {
                    before = c;
                }
            }
            '"' | '\'' => out.push(Token::Text(quoted(&mut chars, c))),
            '`' => out.push(Token::Template(quoted(&mut chars, c))),
            c if c.is_whitespace() => {}
            c if is_word(c) => {
                let mut word = c.to_string();
                word.extend(std::iter::from_fn(|| chars.next_if(|c| is_word(*c))));
                out.push(Token::Word(word));
            }
            c => out.push(Token::Sign(c)),
        }
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn quoted(chars: &mut Peekable<Chars<'_>>, quote: char) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            c if c == quote => break,
            c => text.push(c),
        }
    }
    text
}

/// The entries of the configuration: those of the first object with a key, or of the source itself.
pub(super) fn configuration(tokens: &[Token]) -> Vec<(String, Value)> {
    let starts_with_key =
        |at: usize| matches!(tokens.get(at..), Some([Token::Word(_) | Token::Text(_), Token::Sign(':'), ..]));
    let object =
        (0..tokens.len()).find(|at| tokens.get(*at) == Some(&Token::Sign('{')) && starts_with_key(at + 1));
    let start = if starts_with_key(0) { 0 } else { object.map_or(tokens.len(), |at| at + 1) };
    Reader { rest: tokens.get(start..).unwrap_or_default() }.entries()
}

struct Reader<'t> {
    rest: &'t [Token],
}

impl Reader<'_> {
    fn next_if(&mut self, sign: char) -> bool {
        let found = self.rest.first() == Some(&Token::Sign(sign));
        if found {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        found
    }

    /// The entries up to the `}`, which is read too.
    fn entries(&mut self) -> Vec<(String, Value)> {
        let mut entries = Vec::new();
        while !self.rest.is_empty() && !self.next_if('}') {
            if let [Token::Word(key) | Token::Text(key), rest @ ..] = self.rest {
                self.rest = rest;
                let value = if self.next_if(':') { self.value() } else { Value::Other(Vec::new()) };
                entries.push((key.clone(), value));
            }
            // What follows is no part of the value, such as `as const`, or no entry, such as `...others`.
            self.other();
            if !self.next_if(',') && !self.next_if(';') && !self.next_if(']') {
                self.next_if(')');
            }
        }
        entries
    }

    fn value(&mut self) -> Value {
        if self.next_if('{') {
            return Value::Object(self.entries());
        }
        if !self.next_if('[') {
            return Value::Other(self.other());
        }
        let mut items = Vec::new();
        while !self.rest.is_empty() && !self.next_if(']') {
            items.push(self.value());
            if !self.next_if(',') && !self.next_if(';') && !self.next_if('}') {
                self.next_if(')');
            }
        }
        Value::List(items)
    }

    /// The tokens before the next `,`, `;` or closing bracket outside of brackets.
    fn other(&mut self) -> Vec<Token> {
        let mut depth = 0_usize;
        let end = self.rest.iter().position(|token| {
            match token {
                Token::Sign('(' | '[' | '{') => depth += 1,
                Token::Sign(')' | ']' | '}') if depth > 0 => depth -= 1,
                Token::Sign(',' | ';' | ')' | ']' | '}') => return depth == 0,
                _ => {}
            }
            false
        });
        let (tokens, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        tokens.to_vec()
    }
}
