//! The text of a program: its brackets and the items between commas, without strings and comments.

use std::ops::Range;

/// A program with the places of its brackets, commas and semicolons.
pub(crate) struct Source<'a> {
    pub text: &'a str,
    marks: Vec<(usize, u8)>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, marks: marks(text) }
    }

    pub(crate) fn at(&self, range: &Range<usize>) -> &'a str {
        &self.text[range.clone()]
    }

    /// The inside of the innermost brackets around the range.
    pub(crate) fn enclosing(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let open = self.boundary_before(range.start, b"")?;
        let close = self.boundary_after(range.end, b"")?;
        Some(open..close)
    }

    /// The item around the range: what stands between commas, semicolons or brackets.
    pub(crate) fn item(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.boundary_before(range.start, b",;<").unwrap_or(0);
        let end = self.boundary_after(range.end, b",;>").unwrap_or(self.text.len());
        self.trim(start..end)
    }

    /// The items of the inside of brackets.
    pub(crate) fn items(&self, inside: &Range<usize>) -> Vec<Range<usize>> {
        let mut items = Vec::new();
        let mut at = inside.start;
        while at < inside.end {
            let end = self.boundary_after(at, b",").unwrap_or(inside.end).min(inside.end);
            items.push(self.trim(at..end));
            at = end + 1;
        }
        items.retain(|item| !item.is_empty());
        items
    }

    /// The first brackets of this kind in the range: their inside.
    pub(crate) fn brackets_in(&self, range: &Range<usize>, open: u8) -> Option<Range<usize>> {
        let (at, _) = self.marks.iter().find(|(at, mark)| range.contains(at) && *mark == open)?;
        Some(at + 1..self.boundary_after(at + 1, b"")?)
    }

    /// The range without white space and comments at its start, and without white space at its end.
    pub(crate) fn trim(&self, range: Range<usize>) -> Range<usize> {
        let Range { mut start, end } = range;
        let end = start + self.text[start..end].trim_end().len();
        loop {
            let rest = &self.text[start..end.max(start)];
            let trimmed = rest.trim_start();
            start += rest.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                return start..end.max(start);
            }
            start += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn boundary_before(&self, start: usize, separators: &[u8]) -> Option<usize> {
        let angles = separators.contains(&b'<');
        let mut depth = 0;
        for &(at, mark) in self.marks.iter().rev().filter(|(at, _)| *at < start) {
            match mark {
                b')' | b']' | b'}' => depth += 1,
                b'>' if angles => depth += 1,
                b'(' | b'[' | b'{' if depth == 0 => return Some(at + 1),
                b'<' if angles && depth == 0 => return Some(at + 1),
                b'(' | b'[' | b'{' => depth -= 1,
                b'<' if angles => depth -= 1,
                other if depth == 0 && separators.contains(&other) => return Some(at + 1),
                _ => {}
            }
        }
        None
    }

    fn boundary_after(&self, end: usize, separators: &[u8]) -> Option<usize> {
        let angles = separators.contains(&b'>');
        let mut depth = 0;
        for &(at, mark) in self.marks.iter().filter(|(at, _)| *at >= end) {
            match mark {
                b'(' | b'[' | b'{' => depth += 1,
                b'<' if angles => depth += 1,
                b')' | b']' | b'}' if depth == 0 => return Some(at),
                b'>' if angles && depth == 0 => return Some(at),
                b')' | b']' | b'}' => depth -= 1,
                b'>' if angles => depth -= 1,
                other if depth == 0 && separators.contains(&other) => return Some(at),
                _ => {}
            }
        }
        None
    }
}

/// The brackets, commas and semicolons that are not in a string, a character or a comment. `->` and `=>` are none.
fn marks(text: &str) -> Vec<(usize, u8)> {
    let bytes = text.as_bytes();
    let mut marks = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') && !(at > 0 && bytes[at - 1] == b':') => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
            }
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'>' if at > 0 && matches!(bytes[at - 1], b'-' | b'=') => {}
            mark @ (b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' | b',' | b';') => {
                marks.push((at, mark))
            }
            _ => {}
        }
        at += 1;
    }
    marks
}
