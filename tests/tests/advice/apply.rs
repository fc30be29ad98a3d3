//! Makes the edits that messages advise in a program.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::places::{has_key, value_of};
use crate::source::Source;
use crate::wording::{Edit, entry_key};

/// The changes of one program.
pub(crate) struct Program<'a> {
    source: Source<'a>,
    replacements: Vec<(Range<usize>, String)>,
    /// New entries, by the start of the declaration's braces and the block.
    entries: BTreeMap<(usize, String), Vec<String>>,
    items: Vec<String>,
    /// The contents of macros, and the attributes, that are written anew. Other advice for them is dropped.
    rewritten: Vec<Range<usize>>,
}

impl<'a> Program<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            source: Source::new(text),
            replacements: Vec::new(),
            entries: BTreeMap::new(),
            items: Vec::new(),
            rewritten: Vec::new(),
        }
    }

    /// Replaces text as rustc suggests.
    pub(crate) fn suggest(&mut self, suggestion: Vec<(Range<usize>, String)>) {
        self.replacements.extend(suggestion);
    }

    /// Makes an edit for an error at this place. `None` if the program has no place for it.
    pub(crate) fn edit(&mut self, at: &Range<usize>, edit: Edit) -> Option<()> {
        if self.rewritten.iter().any(|range| range.start <= at.start && at.end <= range.end) {
            return Some(());
        }
        match edit {
            // `default = "5s"` is written for its value too.
            Edit::Replace(text)
                if assigned(&text)
                    .is_some_and(|name| has_key(self.source.at(&self.source.item(at)), name)) =>
            {
                self.replacements.push((self.source.item(at), text));
            }
            Edit::Replace(text) => {
                let range = self.source.with_neighbours(at, &text);
                self.replacements.push((range, text));
            }
            Edit::Insert(text) => self.replacements.push((at.start..at.start, text.into())),
            Edit::Around(text) => {
                let text = text.replace("..", self.source.at(at));
                self.replacements.push((at.clone(), text));
            }
            Edit::Within(old, new) => {
                let text = self.source.at(at).replacen(&old, &new, 1);
                self.replacements.push((at.clone(), text));
            }
            Edit::Quote => {
                let rest = &self.source.text[at.start..];
                let end = rest.find([',', '\n', ' ']).unwrap_or(rest.len());
                self.replacements.push((at.start..at.start + end, format!("{:?}", &rest[..end])));
            }
            Edit::Value(entry) => {
                let colon = if self.source.text[at.end..].starts_with(':') { 1 } else { 0 };
                let comma = if self.source.text[at.end + colon..].trim_start().starts_with([',', '}']) {
                    ""
                } else {
                    ","
                };
                self.replacements.push((at.start..at.end + colon, entry + comma));
            }
            Edit::Remove => {
                let range = self.source.removal(at);
                self.replacements.push((range, String::new()));
            }
            Edit::Entry(entry) => {
                let key = entry_key(&entry)?;
                let range = self.source.entry_of(at, key)?;
                let value = value_of(self.source.at(&range));
                self.replacements.push((range, entry.replace("..", value)));
            }
            Edit::Set(block, entry) => self.set(at, block, entry)?,
            Edit::Move(block, key) => {
                let item = self.source.item(at);
                let text = self.source.at(&item);
                let text = key.map_or_else(|| text.to_owned(), |key| format!("{key}: {}", value_of(text)));
                self.replacements.push((self.source.removal(at), String::new()));
                self.entries.entry((self.source.braces(at)?.start, block)).or_default().push(text);
            }
            Edit::Merge => {
                let item = self.source.item(at);
                let inside = self.source.brackets_in(&item, b'{')?;
                let block = self.source.at(at).to_owned();
                for entry in self.source.items(&inside) {
                    let text = self.source.at(&entry).to_owned();
                    self.entries
                        .entry((self.source.braces(at)?.start, block.clone()))
                        .or_default()
                        .push(text);
                }
                self.replacements.push((self.source.removal(at), String::new()));
            }
            Edit::Head(head) => {
                let declaration = self.source.declaration(at)?;
                let end = self.source.brackets_in(&declaration, b'{')?.start - 1;
                let item = self.source.item(at);
                if item.start > end {
                    self.replacements.push((self.source.removal(at), String::new()));
                }
                let start = self.source.after_visibility(&declaration, &head);
                self.replacements.push((start..end, head + " "));
            }
            Edit::Declaration(text) => {
                let declaration = self.source.declaration(at)?;
                let start = self.source.after_visibility(&declaration, &text);
                self.replacements.push((start..declaration.end, text));
            }
            Edit::Paste(text) => {
                let inside = self.source.inside_of_macro(at)?;
                self.replacements.push((inside.clone(), format!("\n{text}\n")));
                self.rewritten.push(inside);
            }
            Edit::Wrap(head) => {
                let inside = self.source.inside_of_macro(at)?;
                let text = format!("\n{head} {{{}}}\n", self.source.at(&inside));
                self.replacements.push((inside, text));
            }
            Edit::Split => {
                let rest = at.start..self.source.inside_of_macro(at)?.end;
                self.items.push(format!("auth_proxy::auth_proxy! {{ {} }}", self.source.at(&rest)));
                self.replacements.push((rest, String::new()));
            }
            Edit::Attribute(text) => {
                let (range, path) = self.source.attribute(at, &text)?;
                self.replacements.push((range.clone(), text.replacen("#[", &format!("#[{path}"), 1)));
                self.rewritten.push(range);
            }
            Edit::Item(text) => {
                let item = text.replace("{ .. }", "{ todo!() }");
                let item = format!("const _: () = {{ use auth_proxy::{{Policy, Session, Token}}; {item} }};");
                if !self.items.contains(&item) {
                    self.items.push(item);
                }
            }
        }
        Some(())
    }

    /// The program with all changes. A change inside the text of another one is dropped.
    pub(crate) fn finish(mut self) -> String {
        for ((start, block), entries) in std::mem::take(&mut self.entries) {
            let inside = self.source.enclosing(&(start..start)).unwrap_or(start..start);
            let text = entries.join(", ");
            let (at, text) = match self.source.block(&inside, &block) {
                _ if block.is_empty() => (start, text),
                Some(block) => (block.start, text),
                None => (start, format!("{block}: {{ {text} }}")),
            };
            self.replacements.push((at..at, format!(" {text},")));
        }
        self.replacements.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut text = String::new();
        let mut at = 0;
        for (range, with) in self.replacements {
            if range.start < at {
                continue;
            }
            text += &self.source.text[at..range.start];
            text += &with;
            at = range.end;
        }
        text += &self.source.text[at..];
        for item in self.items {
            text += "\n";
            text += &item;
            text += "\n";
        }
        text
    }

    fn set(&mut self, at: &Range<usize>, block: String, entry: String) -> Option<()> {
        let braces = self.source.braces(at)?;
        let key = entry_key(&entry)?;
        let inside = if block.is_empty() { Some(braces.clone()) } else { self.source.block(&braces, &block) };
        let present = inside.and_then(|inside| self.source.entry_in(&inside, key));
        match present {
            Some(range) => self.replacements.push((range, entry)),
            None => self.entries.entry((braces.start, block)).or_default().push(entry),
        }
        Some(())
    }
}

/// The name in `name = value`.
fn assigned(text: &str) -> Option<&str> {
    let (name, _) = text.split_once(" = ")?;
    name.chars().all(char::is_alphanumeric).then_some(name)
}
