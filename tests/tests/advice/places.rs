//! The places in a program that advice is about: entries, blocks, declarations and attributes.

use std::ops::Range;

use crate::source::Source;

impl<'a> Source<'a> {
    /// The error's place, with the text beside it that the new text repeats: `fn page` for `async fn page` at `page`.
    pub(crate) fn with_neighbours(&self, at: &Range<usize>, text: &str) -> Range<usize> {
        let old = self.at(at);
        let before = &self.text[..at.start];
        let after = &self.text[at.end..];
        let lengths =
            |part: &str| part.char_indices().map(|(at, _)| at).chain([part.len()]).collect::<Vec<_>>();
        if let Some(head) = text.strip_suffix(old) {
            let repeated = lengths(head).into_iter().find(|n| before.ends_with(&head[*n..]));
            return at.start - repeated.map_or(0, |n| head.len() - n)..at.end;
        }
        let repeated = lengths(text).into_iter().find(|n| {
            (text[*n..].starts_with(' ') || text[*n..].starts_with("::<")) && after.starts_with(&text[*n..])
        });
        at.start..at.end + repeated.map_or(0, |n| text.len() - n)
    }

    /// What to remove for an error: an attribute, a keyword, or an item with its comma.
    pub(crate) fn removal(&self, at: &Range<usize>) -> Range<usize> {
        let text = self.at(at);
        let rest = &self.text[at.end..];
        if text.starts_with("#[") || text == "unsafe" {
            return at.clone();
        }
        if text == "pub" {
            let scope = if rest.starts_with('(') { rest.find(')').map_or(0, |end| end + 1) } else { 0 };
            return at.start..at.end + scope;
        }
        if text == "where" {
            return at.start..at.end + rest.find('{').unwrap_or(0);
        }
        let item = self.item(at);
        let rest = &self.text[item.end..];
        let comma = rest.len() - rest.trim_start().len();
        let comma = if rest[comma..].starts_with([',', ';']) { comma + 1 } else { 0 };
        item.start..item.end + comma
    }

    /// The attribute of the function around the place that has the name of this one, and the path before its name.
    pub(crate) fn attribute(&self, at: &Range<usize>, text: &str) -> Option<(Range<usize>, &'a str)> {
        let name = text.trim_start_matches("#[").split(['(', ']']).next()?;
        let body = self.text[at.start..].find('{').map_or(self.text.len(), |end| at.start + end);
        let start = self.text[..body].rfind(&format!("{name}("));
        let named = start.max(self.text[..body].rfind(&format!("{name}]")))?;
        let start = self.text[..named].rfind("#[")?;
        let inside = self.brackets_in(&(start..self.text.len()), b'[')?;
        Some((start..inside.end + 1, &self.text[start + 2..named]))
    }

    /// The entry with this key around the place, or directly before it.
    pub(crate) fn entry_of(&self, at: &Range<usize>, key: &str) -> Option<Range<usize>> {
        let mut place = at.clone();
        for _ in 0..4 {
            let item = self.item(&place);
            if has_key(self.at(&item), key) {
                return Some(item);
            }
            let inside = self.enclosing(&place)?;
            let before = self.items(&(inside.start..item.start)).pop();
            if let Some(before) = before.filter(|before| has_key(self.at(before), key)) {
                return Some(before.start..item.end);
            }
            place = inside.start - 1..inside.end + 1;
        }
        None
    }

    pub(crate) fn entry_in(&self, inside: &Range<usize>, key: &str) -> Option<Range<usize>> {
        self.items(inside).into_iter().find(|item| has_key(self.at(item), key))
    }

    /// The inside of a block in the braces of a declaration.
    pub(crate) fn block(&self, braces: &Range<usize>, name: &str) -> Option<Range<usize>> {
        let entry = self.entry_in(braces, name)?;
        self.brackets_in(&entry, b'{')
    }

    /// The inside of the macro call around the place, or of the one at the place.
    pub(crate) fn inside_of_macro(&self, at: &Range<usize>) -> Option<Range<usize>> {
        if self.at(at).starts_with("auth_proxy!") {
            return self.brackets_in(at, b'{');
        }
        let mut inside = self.enclosing(at)?;
        while !self.text[..inside.start - 1].trim_end().ends_with("auth_proxy!") {
            inside = self.enclosing(&(inside.start - 1..inside.end + 1))?;
        }
        Some(inside)
    }

    /// The declaration in the macro call, without attributes and comments.
    pub(crate) fn declaration(&self, at: &Range<usize>) -> Option<Range<usize>> {
        let mut range = self.trim(self.inside_of_macro(at)?);
        while self.at(&range).starts_with("#[") {
            let attribute = self.brackets_in(&range, b'[')?;
            range = self.trim(attribute.end + 1..range.end);
        }
        Some(range)
    }

    /// The inside of the braces of the declaration around the place.
    pub(crate) fn braces(&self, at: &Range<usize>) -> Option<Range<usize>> {
        self.brackets_in(&self.declaration(at)?, b'{')
    }

    /// The start of the declaration, behind `pub` if the new text has none.
    pub(crate) fn after_visibility(&self, declaration: &Range<usize>, text: &str) -> usize {
        let keeps = !text.starts_with("pub") && self.at(declaration).starts_with("pub ");
        declaration.start + if keeps { "pub ".len() } else { 0 }
    }
}

/// The value of `key: value`, also with another separator.
pub(crate) fn value_of(entry: &str) -> &str {
    entry.split_once([':', '=']).map_or("", |(_, value)| value.trim_start_matches([':', '=', '>']).trim())
}

pub(crate) fn has_key(item: &str, key: &str) -> bool {
    let bare = |text: &str| text.trim_matches('"').to_owned();
    let item = item.strip_prefix("pub ").unwrap_or(item).trim_start_matches("pub(crate) ");
    let end = item.find([':', '=', ' ', '{', '\n', ',']).unwrap_or(item.len());
    bare(item[..end].split('.').next().unwrap_or_default()) == bare(key.split('.').next().unwrap_or_default())
}
