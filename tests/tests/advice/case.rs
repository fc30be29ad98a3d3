//! The cases, and what each says about its first error and its advice.
//!
//! Two lines at the end of a case say it. They stand at the end so that they do not move the lines of the case:
//!
//! ```text
//! // first: 5:58 `yes`                  the place and the text that the first error must point at
//! // first: wrong: the reason           no error says what is wrong
//! // advice: none: the reason           the advice is no program: a choice is the user's, or the user's own code
//! // advice: rustc: the reason          the error is rustc's or axum's, and the crate cannot say it
//! ```

use std::fmt;
use std::fs;
use std::path::Path;

pub(crate) struct Case {
    /// `config_semicolon` for `ui/config/fail/semicolon.rs`.
    pub name: String,
    pub source: String,
    /// `None` if no error says what is wrong.
    pub first: Option<First>,
    pub kind: Kind,
}

/// What the first error must point at.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct First {
    pub line: usize,
    pub column: usize,
    pub text: String,
}

impl fmt::Display for First {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} `{}`", self.line, self.column, self.text)
    }
}

/// Whose advice the case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The crate's, and it compiles.
    Compiles,
    /// The crate's, and no program follows from it.
    None,
    /// rustc's or axum's.
    Rustc,
}

/// All cases in `ui/*/fail`.
pub(crate) fn all() -> Vec<Case> {
    let folders = ["config", "extractors", "require_session"];
    let mut cases: Vec<Case> = folders.iter().flat_map(|folder| in_folder(folder)).collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn in_folder(folder: &str) -> Vec<Case> {
    let paths = fs::read_dir(format!("ui/{folder}/fail")).unwrap().map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    paths.map(|path| read(folder, &path)).collect()
}

fn read(folder: &str, path: &Path) -> Case {
    let source = fs::read_to_string(path).unwrap();
    let name = format!("{folder}_{}", path.file_stem().unwrap().to_str().unwrap());
    let first = line(&source, "// first: ");
    let first = first.unwrap_or_else(|| panic!("{name}: the line `// first: ..` is missing at the end"));
    let first = if first.starts_with("wrong: ") { None } else { Some(place(first, &source, &name)) };
    let kind = match line(&source, "// advice: ").map(|line| line.split_once(": ")) {
        None => Kind::Compiles,
        Some(Some(("none", reason))) if !reason.is_empty() => Kind::None,
        Some(Some(("rustc", reason))) if !reason.is_empty() => Kind::Rustc,
        Some(_) => panic!("{name}: write `// advice: none: reason` or `// advice: rustc: reason`"),
    };
    Case { name, source, first, kind }
}

fn line<'s>(source: &'s str, start: &str) -> Option<&'s str> {
    source.lines().find_map(|line| line.strip_prefix(start))
}

/// Reads a place, and checks that the source has its text there.
fn place(written: &str, source: &str, name: &str) -> First {
    let first =
        first(written).unwrap_or_else(|| panic!("{name}: `{written}` is not `line:column` and a text"));
    let found = source.lines().nth(first.line - 1).and_then(|line| {
        let (start, _) = line.char_indices().nth(first.column - 1)?;
        line[start..].strip_prefix(&first.text)
    });
    assert!(found.is_some(), "{name}: there is no `{}` at {}:{}", first.text, first.line, first.column);
    first
}

fn first(line: &str) -> Option<First> {
    let (place, text) = line.split_once(' ')?;
    let (line, column) = place.split_once(':')?;
    let text = text.strip_prefix('`')?.strip_suffix('`')?;
    Some(First { line: line.parse().ok()?, column: column.parse().ok()?, text: text.to_owned() })
}
