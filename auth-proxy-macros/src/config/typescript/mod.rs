//! Writes a pasted TypeScript configuration as the block that means the same.

mod syntax;
#[cfg(test)]
mod tests;
mod values;

use auth_proxy_rules::{Group, OptionKey, snake_case};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

use self::syntax::{Token, Value};
use super::model::Declaration;
use super::{parse, validate};
use crate::errors::Errors;
use crate::tokens;

const GROUPS: [Group; 5] = [Group::Top, Group::Upstream, Group::Session, Group::Cors, Group::Rewrite];

/// Names in other configurations, and the options that they mean.
const ALIASES: [(&str, OptionKey); 6] = [
    ("cookie", OptionKey::CookieName),
    ("secrets", OptionKey::Secret),
    ("session_cookie", OptionKey::CookieName),
    ("strategy", OptionKey::Strategy),
    ("upstream_url", OptionKey::BaseUrl),
    ("url", OptionKey::BaseUrl),
];

/// If the declaration is TypeScript, adds an error with the whole block rewritten.
pub(super) fn suggest(input: TokenStream, declaration: Option<&Declaration>, errors: &mut Errors) {
    let tokens: Vec<TokenTree> = input.into_iter().skip(1).collect();
    let Some(block) = rewritten(&source(&tokens), &head(declaration)) else { return };
    let message = format!("this is TypeScript. The same declaration, ready to paste:\n\n{block}");
    match declaration {
        Some(declaration) => errors.at(&declaration.name, message),
        None => {
            // The block replaces what was said about its start.
            *errors = Errors::default();
            errors.at(tokens.first(), message);
        }
    }
}

/// The source of the tokens. The compiler keeps backticks and unknown quotes in the source of a group only.
fn source(tokens: &[TokenTree]) -> String {
    let text = |token: &TokenTree| token.span().source_text().unwrap_or_else(|| token.to_string());
    tokens::flatten(tokens).iter().map(text).collect::<Vec<_>>().join(" ")
}

/// The declaration up to its `{`.
fn head(declaration: Option<&Declaration>) -> String {
    let Some(Declaration { vis, name, user, claims, .. }) = declaration else {
        return "pub struct Auth".to_owned();
    };
    let types: Vec<String> = [("User", user), ("Claims", claims)]
        .into_iter()
        .filter_map(|(slot, ty)| Some(format!("{slot} = {}", ty.as_ref()?.to_token_stream())))
        .collect();
    let types = if types.is_empty() { String::new() } else { format!("<{}>", types.join(", ")) };
    format!("{} struct {name}{types}", vis.to_token_stream()).trim_start().to_owned()
}

/// An option and its value in the syntax of the block.
type Line = (OptionKey, String);

/// The block for a TypeScript source. It has no mistakes.
fn rewritten(source: &str, head: &str) -> Option<String> {
    let tokens = syntax::tokens(source);
    if signs_of_typescript(&tokens) < 2 {
        return None;
    }
    let mut lines = Vec::new();
    let mut notes = Vec::new();
    collect(Group::Top, syntax::configuration(&tokens), &mut lines, &mut notes);
    if !lines.iter().any(|(option, _)| *option == OptionKey::BaseUrl) {
        lines.insert(0, (OptionKey::BaseUrl, OptionKey::BaseUrl.example().to_owned()));
    }
    // Options that do not fit together are left out until the block has no mistakes.
    while let Some(mistake) = mistakes(&block(head, &lines, &notes)).first() {
        let count = mistakes(&block(head, &lines, &notes)).len();
        let at = (0..lines.len()).rev().find(|at| {
            let mut others = lines.clone();
            others.remove(*at);
            mistakes(&block(head, &others, &notes)).len() < count
        })?;
        let (option, _) = lines.remove(at);
        notes.push(format!("{option}: {mistake}"));
    }
    Some(block(head, &lines, &notes))
}

/// How many tokens are TypeScript and no Rust.
fn signs_of_typescript(tokens: &[Token]) -> usize {
    let at = |at: usize| tokens.get(at);
    (0..tokens.len())
        .filter(|i| match at(*i) {
            Some(Token::Template(_)) => true,
            Some(Token::Sign('?')) => at(i + 1) == Some(&Token::Sign('?')),
            Some(Token::Word(word)) if word == "export" || word == "import" => true,
            Some(Token::Word(word)) if word == "process" || word == "Deno" || word == "Bun" => {
                at(i + 2) == Some(&Token::Word("env".to_owned()))
            }
            Some(Token::Word(key)) if at(i + 1) == Some(&Token::Sign(':')) => {
                let snake = snake_case(key);
                snake != *key && option(Group::Top, &snake).is_some()
            }
            _ => false,
        })
        .count()
}

/// Writes the entries of a block. What has no counterpart becomes a note.
fn collect(group: Group, entries: Vec<(String, Value)>, lines: &mut Vec<Line>, notes: &mut Vec<String>) {
    for (key, value) in entries {
        let snake = snake_case(&key);
        match (Group::block(&snake), option(group, &snake), value) {
            (Some(block), _, Value::Object(entries)) if group == Group::Top => {
                collect(block, entries, lines, notes);
            }
            (_, Some(option), value) if lines.iter().all(|(other, _)| *other != option) => {
                match values::written(option, &value) {
                    Some(text) => {
                        lines.push((option, text));
                        notes.extend(
                            values::notes(&value).into_iter().map(|note| format!("{option}: {note}")),
                        );
                    }
                    None => notes.push(format!("{option}: write it by hand, such as `{}`", option.example())),
                }
            }
            (_, Some(_), _) => {}
            (_, None, _) => {
                notes.push(format!("{snake}: no option here; the upstream configures its sign-in"));
            }
        }
    }
}

/// The option with this name, preferably in this group.
fn option(group: Group, key: &str) -> Option<OptionKey> {
    let alias = || ALIASES.iter().find(|(alias, _)| *alias == key).map(|(_, option)| *option);
    OptionKey::find(group, key)
        .or_else(|| GROUPS.into_iter().find_map(|group| OptionKey::find(group, key)))
        .or_else(alias)
}

fn block(head: &str, lines: &[Line], notes: &[String]) -> String {
    let mut out = format!("{head} {{\n");
    for group in GROUPS {
        let mut own = lines.iter().filter(|(option, _)| option.group() == group).peekable();
        if own.peek().is_none() {
            continue;
        }
        let indent = if group == Group::Top { "    " } else { "        " };
        if group != Group::Top {
            out += &format!("    {}: {{\n", group.key());
        }
        for (option, value) in own {
            out += &format!("{indent}{}: {value},\n", option.key());
        }
        if group != Group::Top {
            out += "    },\n";
        }
    }
    for note in notes {
        out += &format!("    // {}\n", note.replace(['\n', '\r'], " "));
    }
    out + "}\n"
}

/// The mistakes that `auth_proxy!` finds in a block.
fn mistakes(block: &str) -> Vec<String> {
    let mut errors = Errors::default();
    let Ok(tokens) = format!("(krate) {block}").parse() else { return vec![String::new()] };
    match parse::declaration(tokens, &mut errors) {
        Some(declaration) => {
            validate::check(&declaration, &mut errors);
        }
        None => return vec![String::new()],
    }
    errors.messages()
}
