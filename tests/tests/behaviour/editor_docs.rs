//! `auth-proxy/src/editor.rs`, which editors show for the options of a block, is generated from the guide's table.

use std::fmt::Write as _;
use std::str::FromStr;

use auth_proxy_rules::{
    AnswerSession, CookieDomain, Expected, Group, Host, Kind, OptionKey, RevocationList,
    RevocationUnavailable, Routes, Shape, Source, StoreUnavailable, Strategy, TokenFormat, Unauthenticated,
};

const OPTIONS: &str = include_str!("../../../auth-proxy/docs/guide/options.md");
const HEAD: &str = "\
//! The options as documented types, for editors: see `config/editor.rs` of the macro crate.
//!
//! Generated from the table in `docs/guide/options.md`. After a change of the table run
//! `UPDATE_EDITOR_DOCS=1 cargo test -p auth-proxy-tests --test behaviour editor_docs`.
//!
//! Imports the rooms: `config`.
//! Does without the crates: `axum`, `http`, `hyper`, `jsonwebtoken`, `serde`, `tokio`, `tower`, `tracing`.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]
";

const BLOCKS: [(Group, &str, &str); 8] = [
    (Group::Top, "Top", "The options at the top level."),
    (Group::Upstream, "Upstream", "The block `upstream: { .. }`: the sign-in server and how it is reached."),
    (
        Group::Session,
        "Session",
        "The block `session: { .. }`: where sessions come from and how long they are cached.",
    ),
    (Group::Cors, "Cors", "The block `cors: { .. }`: other origins that may use the sign-in routes."),
    (Group::Rewrite, "Rewrite", "The block `rewrite: { .. }`: what changes in the upstream's responses."),
    (Group::Jwks, "Jwks", "The block `jwks: { .. }`: the public keys that an issuer publishes."),
    (Group::Revocation, "Revocation", "The block `revocation: { .. }`: how the upstream revokes tokens."),
    (
        Group::SignInLimit,
        "SignInLimit",
        "The block `sign_in_limit: { .. }`: how often visitors may try to sign in.",
    ),
];

/// The row of an option: value, default, description.
fn row(option: OptionKey) -> [&'static str; 3] {
    let row = OPTIONS.lines().find(|line| line.starts_with(&format!("| `{option}` |"))).unwrap();
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    [cells[2], cells[3], cells[4]]
}

/// Documentation lines of at most 110 columns.
fn documented(out: &mut String, indent: &str, text: &str) {
    let mut line = String::new();
    for word in text.split(' ') {
        if line.len() + word.len() > 100 {
            writeln!(out, "{indent}///{line}").unwrap();
            line.clear();
        }
        write!(line, " {word}").unwrap();
    }
    writeln!(out, "{indent}///{line}").unwrap();
}

/// The path of the value that a word stands for.
fn variant(option: OptionKey, word: &str) -> String {
    fn name<T: FromStr<Err: std::fmt::Debug> + std::fmt::Debug>(word: &str) -> String {
        format!("{:?}", word.parse::<T>().unwrap())
    }
    match option {
        OptionKey::Kind => format!("Kind::{}", name::<Kind>(word)),
        OptionKey::Strategy => format!("Strategy::{}", name::<Strategy>(word)),
        OptionKey::Token => format!("TokenFormat::{}", name::<TokenFormat>(word)),
        OptionKey::Source => format!("Source::{}", name::<Source>(word)),
        OptionKey::Unauthenticated => format!("Unauthenticated::{}", name::<Unauthenticated>(word)),
        OptionKey::Routes => format!("Routes::{}", name::<Routes>(word)),
        OptionKey::StoreUnavailable => format!("StoreUnavailable::{}", name::<StoreUnavailable>(word)),
        OptionKey::Revocation => format!("RevocationList::{}", name::<RevocationList>(word)),
        OptionKey::RevocationUnavailable => {
            format!("RevocationUnavailable::{}", name::<RevocationUnavailable>(word))
        }
        OptionKey::AnswerSession => format!("AnswerSession::{}", name::<AnswerSession>(word)),
        OptionKey::Host => format!("Host::{}", name::<Host>(word)),
        OptionKey::CookieDomain => format!("CookieDomain::{}", name::<CookieDomain>(word)),
        OptionKey::Audience | OptionKey::Issuer => format!("Expected::{}", name::<Expected>(word)),
        _ => panic!("add the type of `{option}` here"),
    }
}

fn generated() -> String {
    let mut out = HEAD.to_owned();
    for (group, name, docs) in BLOCKS {
        writeln!(out, "\n/// {docs}\npub struct {name} {{").unwrap();
        for option in OptionKey::in_group(group) {
            let [value, default, what] = row(option);
            documented(&mut out, "    ", &format!("`{option}`: {what}"));
            writeln!(out, "    ///").unwrap();
            documented(&mut out, "    ", &format!("Value: {value}. Default: {default}."));
            if let Some(note) = option.deprecated() {
                writeln!(out, "    #[deprecated(note = {note:?})]").unwrap();
            }
            writeln!(out, "    pub {}: (),", option.key()).unwrap();
        }
        for (block, name, docs) in
            BLOCKS.iter().filter(|(block, ..)| group == Group::Top && *block != Group::Top)
        {
            writeln!(out, "    /// {docs}\n    pub {}: {name},", block.key()).unwrap();
        }
        writeln!(out, "}}").unwrap();
    }
    for (group, ..) in BLOCKS {
        let module = if group == Group::Top { "top" } else { group.key() };
        let mut inner = String::new();
        for option in OptionKey::in_group(group) {
            let (Shape::Word(words) | Shape::WordOrText(words)) = option.shape() else { continue };
            writeln!(inner, "    /// The words of `{option}`.\n    pub mod {} {{", option.key()).unwrap();
            for word in words {
                writeln!(inner, "        pub use crate::config::{} as {word};", variant(option, word))
                    .unwrap();
            }
            writeln!(inner, "    }}").unwrap();
        }
        if !inner.is_empty() {
            write!(out, "\n/// The words of the block.\npub mod {module} {{\n{inner}}}\n").unwrap();
        }
    }
    out
}

/// The documentation of a declared type shows the defaults of the rules.
#[test]
fn defaults_of_the_guide_are_those_of_the_rules() {
    for option in OptionKey::ALL {
        let [_, default, _] = row(*option);
        assert_eq!(default, option.default_text(), "{option}");
    }
}

#[test]
fn editor_docs_match_the_option_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../auth-proxy/src/editor.rs");
    if std::env::var_os("UPDATE_EDITOR_DOCS").is_some() {
        std::fs::write(path, generated()).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap();
    assert!(found == generated(), "auth-proxy/src/editor.rs is out of date: run with UPDATE_EDITOR_DOCS=1");
}
