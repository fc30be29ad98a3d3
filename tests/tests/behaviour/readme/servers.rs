//! Checks what the documents say about servers: facts and kinds.

use std::collections::BTreeSet;

use auth_proxy_rules::{OptionKey, Shape};

use super::root;

const AUTHJS: &str = include_str!("../../../../docs/authjs.md");
const BETTER_AUTH: &str = include_str!("../../../../docs/better-auth.md");
const SERVERS: &str = include_str!("../../../../auth-proxy/docs/guide/servers.md");
const README: &str = include_str!("../../../../README.md");

/// The anchors of a page of facts. Each stands before its name, once.
fn anchors(page: &str) -> BTreeSet<&str> {
    let mut anchors = BTreeSet::new();
    for rest in page.split("<a id=\"").skip(1) {
        let (anchor, rest) = rest.split_once("\"></a>").expect("the anchor is closed");
        assert!(rest.starts_with(&format!("`{anchor}` | ")), "{anchor} has another name");
        assert!(anchors.insert(anchor), "{anchor} is there twice");
    }
    anchors
}

/// A comment in the code, or a sentence in a document, refers to a fact that is there.
#[test]
fn references_to_facts_lead_to_an_anchor() {
    let pages = [("authjs", anchors(AUTHJS), 30), ("better-auth", anchors(BETTER_AUTH), 20)];
    let list = std::process::Command::new("git").arg("ls-files").current_dir(root()).output().unwrap();
    let files = String::from_utf8(list.stdout).unwrap();
    let texts: Vec<_> = files
        .lines()
        .filter(|file| [".rs", ".md", ".mjs"].iter().any(|end| file.ends_with(end)))
        .filter_map(|file| Some((file, std::fs::read_to_string(root().join(file)).ok()?)))
        .collect();
    assert!(texts.len() > 200, "{}", texts.len());
    for (page, anchors, at_least) in pages {
        assert!(anchors.len() >= at_least, "{page} {anchors:?}");
        let mut used = BTreeSet::new();
        for (file, text) in &texts {
            for rest in text.split(&format!("docs/{page}.md#")).skip(1) {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
                let anchor = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
                assert!(anchors.contains(anchor), "{file}: docs/{page}.md has no `{anchor}`");
                used.insert(anchor.to_owned());
            }
        }
        assert!(used.len() >= 5, "{page} {used:?}");
    }
}

/// Each kind has a section with a block for the app, and README has a row.
#[test]
fn every_kind_has_a_section_and_a_row() {
    let Shape::Word(kinds) = OptionKey::Kind.shape() else { panic!("`kind` is not a word") };
    assert!(kinds.len() >= 4, "{kinds:?}");
    for kind in kinds {
        let section = SERVERS
            .split("\n# ")
            .find(|part| part.lines().next().is_some_and(|title| title.ends_with(&format!("(`{kind}`)"))))
            .unwrap_or_else(|| panic!("servers.md has no section of `{kind}`"));
        assert!(section.contains(&format!("kind: {kind}")), "{kind}: no block for the app");
        assert!(README.lines().any(|line| line.contains(&format!("| `{kind}`"))), "README has no `{kind}`");
    }
}
