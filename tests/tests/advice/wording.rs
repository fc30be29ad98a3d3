//! What a message advises: each wording that the messages have, and the edit that it means.

/// An edit at the place of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Write this in place of the tokens that the error points at.
    Replace(String),
    /// Write this entry, `key: value`, in place of the entry around the error. `..` stands for the value as it is.
    Entry(String),
    /// Remove the item that the error points at: an entry, an argument, an attribute or a keyword.
    Remove,
    /// Write this before the tokens that the error points at.
    Insert(&'static str),
    /// Write this around the tokens that the error points at, which `..` stands for.
    Around(String),
    /// Write other text in the string that the error points at: the second in place of the first.
    Within(String, String),
    /// Put the value that starts here into quotes.
    Quote,
    /// Complete the entry whose key the error points at.
    Value(String),
    /// Add this entry to a block of the declaration, or set it there. The block is empty for the top level.
    Set(String, String),
    /// Move the entry around the error into a block, under this key if it is given.
    Move(String, Option<String>),
    /// Move the entries of this second block into the first one of the same name.
    Merge,
    /// Write this head of a declaration, `pub struct Auth<..>`.
    Head(String),
    /// Write this declaration in place of the whole one.
    Declaration(String),
    /// Write this declaration in place of the whole content of the macro, whatever else is advised for it.
    Paste(String),
    /// Put the content of the macro into the braces of this head.
    Wrap(String),
    /// Move the second declaration into a macro of its own.
    Split,
    /// Write this attribute in place of the one around the error.
    Attribute(String),
    /// Add this item to the program. `{ .. }` stands for a body.
    Item(String),
}

type Reading = fn(&[&str]) -> Vec<Edit>;

/// The wordings, each with `{}` for text in back-ticks. The first that advises an edit counts.
const WORDINGS: &[(&str, Reading)] = &[
    ("expected `,` before", |_| vec![Edit::Insert(", ")]),
    ("write a `,` before", |_| vec![Edit::Insert(", ")]),
    ("did you mean {} in {}?", |x| vec![Edit::Move(block(x[1]), Some(x[0].into()))]),
    ("did you mean {} at the top level?", |x| vec![Edit::Move(String::new(), Some(x[0].into()))]),
    ("did you mean {}?", replace),
    ("(nearest: {})", replace),
    ("is spelled {}", replace),
    ("is written {}", replace),
    ("move it into {}", |x| vec![Edit::Move(block(x[0]), None)]),
    ("move it out of {}", |_| vec![Edit::Move(String::new(), None)]),
    ("write everything in one {}", |_| vec![Edit::Merge]),
    ("write a second `auth_proxy!`", |_| vec![Edit::Split]),
    ("write {} around them", |x| vec![Edit::Wrap(head(x[0]))]),
    ("write {} around it", |x| vec![Edit::Around(x[0].into())]),
    ("write `https://`", |_| vec![Edit::Within("http://".into(), "https://".into())]),
    ("browsers keep a {} cookie on https only", |x| vec![Edit::Within(x[0].into(), String::new())]),
    ("browsers refuse a cookie of {} from {}", |x| vec![Edit::Replace(format!("\"{}\"", x[1]))]),
    ("the value is in quotes: write {}", |_| vec![Edit::Quote]),
    ("needs a value: write {}", |x| vec![Edit::Value(x[0].into())]),
    ("is missing: write {}", |x| vec![missing(x[0])]),
    ("write {}, and at the top level {}", |x| vec![form(x[0]), set(x[1])]),
    ("write {} and {} only", |_| vec![Edit::Remove]),
    ("write the value itself, or {}", replace),
    ("write an expression such as {}", replace),
    ("write the proxy before it, as in {}", |x| vec![Edit::Attribute(x[0].into())]),
    ("write a type that implements {}: {}", |x| vec![Edit::Attribute(x[1].into())]),
    ("write {}", |x| vec![form(x[0])]),
    ("takes a Rust expression, such as {}", |x| vec![form(x[0])]),
    ("takes a string such as {}", replace),
    ("takes a duration such as {}", replace),
    ("takes a whole number such as {}", replace),
    ("for the state {}: {}", |x| vec![form(x[1])]),
    ("add {}", |x| vec![set(x[0])]),
    (": set {}", |x| vec![set(x[0])]),
    ("remove {}", |_| vec![Edit::Remove]),
    ("remove it", |_| vec![Edit::Remove]),
    ("remove one", |_| vec![Edit::Remove]),
    ("remove the default", |_| vec![Edit::Remove]),
    ("remove the word", |_| vec![Edit::Remove]),
    ("remove the {}", |_| vec![Edit::Remove]),
];

/// The wordings of a second way, which a text offers beside the first one.
const SECOND_WAYS: &[(&str, Reading)] = &[
    (", or {} for next-auth v4", replace),
    (", or {} for v4", replace),
    (", or set {}", |x| if x[0].contains(": ") { vec![set(x[0])] } else { Vec::new() }),
    (", or add {}", |x| vec![set(x[0])]),
    (", or {} to waive the check", |x| vec![Edit::Set("upstream".into(), x[0].into())]),
];

/// The edits of the second way that a text offers. Empty if it offers none.
pub(crate) fn second_way(text: &str) -> Vec<Edit> {
    SECOND_WAYS.iter().find_map(|(wording, read)| Some(read(&quoted(text, wording)?))).unwrap_or_default()
}

/// The edits that a text advises. Empty if it advises none that a machine can make.
pub(crate) fn edits(text: &str) -> Vec<Edit> {
    if let Some((_, block)) = text.split_once("ready to paste:\n") {
        return vec![Edit::Paste(block.trim().to_owned())];
    }
    wording_of(text).map(|(_, edits)| edits).unwrap_or_default()
}

fn wording_of(text: &str) -> Option<(&'static str, Vec<Edit>)> {
    let mut found =
        WORDINGS.iter().filter_map(|(wording, read)| Some((*wording, read(&quoted(text, wording)?))));
    found.find(|(_, edits)| !edits.is_empty())
}

/// The wordings of which no text makes use.
pub(crate) fn unused<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> Vec<&'static str> {
    let uses = |text: &str, wording: &str| wording_of(text).is_some_and(|(used, _)| used == wording);
    let wordings = WORDINGS.iter().map(|(wording, _)| *wording);
    wordings.filter(|wording| !texts.clone().any(|text| uses(text, wording))).collect()
}

/// The texts in back-ticks, if the wording occurs in the text.
fn quoted<'t>(text: &'t str, wording: &str) -> Option<Vec<&'t str>> {
    let mut parts = wording.split("{}");
    let first = parts.next()?;
    text.match_indices(first).find_map(|(at, _)| {
        let mut rest = &text[at + first.len()..];
        let mut found = Vec::new();
        for part in parts.clone() {
            let (inside, after) = rest.strip_prefix('`')?.split_once('`')?;
            found.push(inside);
            rest = after.strip_prefix(part)?;
        }
        Some(found)
    })
}

fn replace(x: &[&str]) -> Vec<Edit> {
    vec![Edit::Replace(x[0].into())]
}

/// The edit for something to write, by its form.
fn form(text: &str) -> Edit {
    match entry_key(text) {
        _ if text.starts_with("#[") => Edit::Attribute(text.into()),
        _ if text.starts_with("impl ") => Edit::Item(text.into()),
        _ if text.contains("struct ") && text.ends_with("{ .. }") => Edit::Head(head(text)),
        _ if text.contains("struct ") => Edit::Declaration(text.into()),
        Some(_) => Edit::Entry(text.into()),
        None => Edit::Replace(text.into()),
    }
}

fn missing(text: &str) -> Edit {
    match form(text) {
        Edit::Entry(entry) => match entry.split_once(": { ") {
            Some(_) => set(&entry),
            None => Edit::Set("upstream".into(), entry),
        },
        edit => edit,
    }
}

/// `block: { key: value }`, `block.key: value` or `key: value`.
fn set(text: &str) -> Edit {
    if let Some((block, entry)) = text.split_once(": { ") {
        return Edit::Set(block.into(), entry.trim_end_matches(" }").into());
    }
    let key = text.split(':').next().unwrap_or_default();
    match key.split_once('.') {
        Some((block, _)) => Edit::Set(block.into(), text[block.len() + 1..].into()),
        None => Edit::Set(String::new(), text.into()),
    }
}

/// The key of `block: { .. }`.
fn block(text: &str) -> String {
    text.split(':').next().unwrap_or_default().to_owned()
}

/// The head of `pub struct Auth { .. }`.
fn head(text: &str) -> String {
    text.trim_end_matches("{ .. }").trim_end().to_owned()
}

/// The key of `key: value` or `"key": value`.
pub(crate) fn entry_key(text: &str) -> Option<&str> {
    let (key, value) = text.split_once(": ")?;
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '"' | '.');
    (!value.is_empty() && key.chars().all(is_key)).then_some(key)
}
