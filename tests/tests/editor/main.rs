//! What an editor shows for the options of a block: a session with the real rust-analyzer, over the language server
//! protocol. Run with `cargo test -p auth-proxy-tests --test editor`; needs `rustup component add rust-analyzer`.

mod client;

use std::fmt::Write as _;
use std::path::PathBuf;

use client::Editor;
use serde_json::Value;

/// The page of the guide that shows answers of this session.
const PAGE: &str = include_str!("../../../auth-proxy/docs/guide/editor.md");

const PROGRAM: &str = r#"use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: {
            kind: next_auth_v4,
            base_url: "https://auth.example.com",
            timeout: 5s,
            fetch: client(),
        },
        session: { cache: 30s },
    }
}

fn client() -> axum::Router {
    axum::Router::new()
}

fn main() {
    let _ = Auth::from_env();
    let _ = Auth::builder();
}
"#;

/// A package of its own, so that rust-analyzer loads this crate as a user's dependency.
fn package() -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/editor-package"));
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let root = std::fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap();
    let manifest = format!(
        "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\naxum = \"0.8\"\n\
         axum-auth-proxy = {{ path = \"{}\" }}\n\n[workspace]\n",
        root.join("auth-proxy").display()
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    std::fs::write(folder.join("src/main.rs"), PROGRAM).unwrap();
    std::fs::canonicalize(folder).unwrap()
}

struct Session {
    editor: Editor,
    /// What was asked and shown, for `tests/output/editor.md`.
    record: String,
}

impl Session {
    /// The text that hovering over a word shows, and the files and lines that its definition leads to.
    fn hover_and_definition(&mut self, word: &str) -> (String, Vec<String>) {
        self.editor.change(PROGRAM);
        let offset = PROGRAM.find(word).unwrap() + 1;
        let hover = self.editor.at("textDocument/hover", PROGRAM, offset);
        let text = hover["contents"]["value"].as_str().unwrap_or_default().to_owned();
        let definition = self.editor.at("textDocument/definition", PROGRAM, offset);
        let targets = definition.as_array().cloned().unwrap_or_default();
        let targets: Vec<String> = targets.iter().map(|target| place_of(target)).collect();
        write!(self.record, "## Hover over `{word}`\n\n{text}\n\nDefinition: {}\n\n", targets.join(", "))
            .unwrap();
        (text, targets)
    }

    /// The text after the quick fix for a misspelt word, about which the compiler says `message`, and what is shown.
    fn quick_fix(&mut self, part: &str, typed: &str, message: &str) -> (String, String) {
        let text = PROGRAM.replacen(part, typed, 1);
        let diagnostic = self.editor.build(&text, message);
        let message = diagnostic["message"].as_str().unwrap();
        let actions = self.editor.quick_fixes(&diagnostic);
        let [action] = actions.as_slice() else { panic!("one quick fix for `{typed}`: {actions:?}") };
        let fixed = self.editor.apply(action, &text);
        let shown = format!("{message}\nFix: {}\n", action["title"].as_str().unwrap());
        write!(self.record, "## Quick fix at `{typed}`\n\n{shown}\n```rust\n{fixed}```\n\n").unwrap();
        (fixed, shown)
    }

    /// The names that are offered where `|` stands, after part of the program was replaced.
    fn completions(&mut self, part: &str, typed: &str) -> Vec<String> {
        let offset = PROGRAM.find(part).unwrap() + typed.find('|').unwrap();
        let text = PROGRAM.replacen(part, &typed.replace('|', ""), 1);
        self.editor.change(&text);
        let offered = self.editor.at("textDocument/completion", &text, offset);
        let items = offered.get("items").unwrap_or(&offered).as_array().cloned().unwrap_or_default();
        let names: Vec<String> =
            items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect();
        write!(self.record, "## Completion at `{typed}`\n\n{}\n\n", names.join(", ")).unwrap();
        names
    }
}

/// The name of the file, and the line in the program itself.
fn place_of(target: &Value) -> String {
    let uri = target.get("targetUri").or(target.get("uri")).and_then(Value::as_str).unwrap_or_default();
    let range = target.get("targetSelectionRange").or(target.get("range"));
    let line = range.and_then(|range| range["start"]["line"].as_u64()).unwrap_or_default() + 1;
    match uri.rsplit('/').next().unwrap_or_default() {
        "main.rs" => format!("main.rs:{line}"),
        file => file.to_owned(),
    }
}

#[test]
fn editor_shows_defines_and_completes_options() {
    let editor = Editor::open(&package(), PROGRAM);
    let mut session = Session { editor, record: "# A session with rust-analyzer\n\n".to_owned() };

    for (word, documentation) in [
        ("timeout", "`upstream.timeout`: "),
        ("base_url", "Value: http(s) URL, or `\"unix:/path\"`. Default: required."),
        ("upstream", "The block `upstream: { .. }`"),
        ("cache", "`session.cache`: "),
    ] {
        let (text, targets) = session.hover_and_definition(word);
        assert!(text.contains(documentation), "{word}: {text}");
        assert_eq!(targets, ["editor.rs"], "{word}");
    }
    let (text, targets) = session.hover_and_definition("next_auth_v4");
    assert!(text.contains("`next-auth` v4"), "{text}");
    assert_eq!(targets, ["choices.rs"]);

    // Hovering the declared type shows the configuration in force.
    let (text, targets) = session.hover_and_definition("Auth {");
    for row in
        ["# Configuration", "|`upstream.timeout`|`5s`|", "|`upstream.token`|`encrypted_v4`|", "Defaults:"]
    {
        assert!(text.contains(row), "{row}: {text}");
    }
    assert_eq!(targets.len(), 1, "{targets:?}");

    for (part, typed, offered, not_offered) in [
        ("timeout: 5s", "tim|", &["timeout", "connect_timeout", "retries"][..], "base_url"),
        ("timeout: 5s", "tim|: 5s", &["timeout"], "kind"),
        ("cache: 30s", "cache: 30s, re|", &["renew", "stale_if_error"], "cache"),
        ("session: { cache: 30s }", "se|", &["session", "cors", "base_path"], "upstream"),
        ("kind: next_auth_v4", "kind: au|", &["authjs", "next_auth_v4", "robo"], "main"),
        ("kind: next_auth_v4", "kind: |", &["authjs", "next_auth_v4", "robo"], "main"),
        ("kind: next_auth_v4", "token: hs|", &["hs256", "eddsa", "encrypted"], "main"),
        ("timeout: 5s", "host: pre|", &["auto", "preserve", "upstream"], "main"),
        ("session: {", "unauthenticated: re|, session: {", &["auto", "redirect", "status"], "main"),
    ] {
        let names = session.completions(part, typed);
        for name in offered {
            assert!(names.iter().any(|other| other == name), "{typed}: `{name}` is not in {names:?}");
        }
        assert!(names.iter().all(|name| name != not_offered), "{typed}: `{not_offered}` is in {names:?}");
    }

    for (word, definition) in
        [("client()", "fn client"), ("from_env", "struct Auth"), ("builder", "struct Auth")]
    {
        let line = PROGRAM[..PROGRAM.find(definition).unwrap()].matches('\n').count() + 1;
        let (_, targets) = session.hover_and_definition(word);
        assert_eq!(targets, [format!("main.rs:{line}")], "{word}");
    }

    let mut on_page = false;
    for (part, typed, message) in [
        ("timeout: 5s", "timout: 5s", "no field `timout` on type `UpstreamOptions`"),
        ("kind: next_auth_v4", "kind: next_aut_v4", "no field `next_aut_v4` on type `UpstreamKindWords`"),
    ] {
        let (fixed, shown) = session.quick_fix(part, typed, message);
        assert_eq!(fixed, PROGRAM);
        on_page |= PAGE.contains(&shown);
    }

    let block = &PROGRAM[PROGRAM.find("auth_proxy! {").unwrap()..PROGRAM.find("\nfn client").unwrap()];
    assert!(PAGE.contains(block), "the guide shows another block");
    assert!(on_page, "the guide shows another quick fix");
    let (hover, _) = session.hover_and_definition("timeout");
    assert!(PAGE.contains(hover.trim()), "the guide shows another hover: {hover}");
    let names = session.completions("kind: next_auth_v4", "kind: |");
    assert!(
        PAGE.contains(&format!("\n{}\n", names.join(", "))),
        "the guide shows another completion: {names:?}"
    );

    let output = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/output"));
    std::fs::create_dir_all(&output).unwrap();
    std::fs::write(output.join("editor.md"), session.record).unwrap();
}
