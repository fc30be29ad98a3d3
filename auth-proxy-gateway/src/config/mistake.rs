//! Mistakes of the configuration file, with the place of each.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One mistake, and the bytes of the file that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
}

/// Mistakes, or warnings, of one configuration file. `Display` writes one line for each: `file:line:column: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    file: PathBuf,
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    line: usize,
    column: usize,
    message: String,
}

impl Report {
    /// The mistakes in the order of the file. Two mistakes at one place with one text are one.
    pub(crate) fn of(file: &Path, source: &str, mistakes: &[Mistake]) -> Self {
        let place = |mistake: &Mistake| {
            let (line, column) = line_and_column(source, mistake.span.start);
            Line { line, column, message: mistake.message.clone() }
        };
        let mut lines: Vec<Line> = mistakes.iter().map(place).collect();
        lines.sort();
        lines.dedup();
        Self { file: file.to_owned(), lines }
    }

    /// A mistake of the file as a whole, such as that it cannot be read.
    pub(crate) fn whole_file(file: &Path, message: String) -> Self {
        Self { file: file.to_owned(), lines: vec![Line { line: 1, column: 1, message }] }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Each line, for a log event.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.lines.iter().map(|Line { line, column, message }| {
            format!("{}:{line}:{column}: {message}", self.file.display())
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// The line and the column of a byte, counted from 1. A column is a character.
fn line_and_column(source: &str, byte: usize) -> (usize, usize) {
    let before = source.get(..byte).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_from_one() {
        let source = "a = 1\n# ä\nß = 2\n";
        assert_eq!(line_and_column(source, 0), (1, 1));
        assert_eq!(line_and_column(source, source.find("= 2").unwrap()), (3, 3));
        assert_eq!(line_and_column(source, source.len()), (4, 1));
    }

    #[test]
    fn mistakes_are_sorted_by_their_place_and_told_once() {
        let mistake = |start, message: &str| Mistake { span: start..start, message: message.to_owned() };
        let report = Report::of(
            Path::new("g.toml"),
            "a\nb\n",
            &[mistake(2, "two"), mistake(0, "one"), mistake(2, "two")],
        );
        assert_eq!(report.to_string(), "g.toml:1:1: one\ng.toml:2:1: two\n");
    }
}
