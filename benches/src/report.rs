//! Writes the figures, and prints the table of results. A row is a line of tab-separated fields, so that shell scripts
//! can add rows too.

use std::fmt::Write as _;
use std::io::Write as _;
use std::str::FromStr;

use crate::Error;

/// The target of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// `>=X`
    AtLeast(f64),
    /// `<=X`
    AtMost(f64),
    /// `-`: no target.
    None,
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_at_checked(2) {
            Some((">=", limit)) => Ok(Self::AtLeast(limit.parse()?)),
            Some(("<=", limit)) => Ok(Self::AtMost(limit.parse()?)),
            _ if text == "-" => Ok(Self::None),
            _ => Err(format!("no target: `{text}`").into()),
        }
    }
}

/// One figure of the table.
#[derive(Debug)]
pub struct Row<'a> {
    part: &'a str,
    what: &'a str,
    value: f64,
    unit: &'a str,
    target: Target,
}

impl<'a> Row<'a> {
    /// A row of a part.
    #[must_use]
    pub fn new(part: &'a str, what: &'a str, value: f64, unit: &'a str, target: Target) -> Self {
        Self { part, what, value, unit, target }
    }

    /// Adds the row to the file that `BENCH_ROWS` names, and prints it to stderr.
    ///
    /// # Errors
    /// If it cannot be written, or if the value is not finite: a division by zero means a failed run.
    pub fn write(&self) -> Result<(), Error> {
        if !self.value.is_finite() {
            return Err(format!("{}, {}: no figure", self.part, self.what).into());
        }
        let (target, met) = match self.target {
            Target::AtLeast(limit) => (format!(">= {limit}"), if self.value >= limit { "yes" } else { "NO" }),
            Target::AtMost(limit) => (format!("<= {limit}"), if self.value <= limit { "yes" } else { "NO" }),
            Target::None => (String::new(), ""),
        };
        let value = match self.value.abs() {
            0.0..10.0 => format!("{:.2}", self.value),
            10.0..100.0 => format!("{:.1}", self.value),
            _ => format!("{:.0}", self.value),
        };
        line("row", &[self.part, self.what, &format!("{value}{}", self.unit), &target, met])
    }
}

/// Adds a line of the raw figures behind the ratios.
///
/// # Errors
/// When it cannot be written.
pub fn figure(part: &str, what: &str, figures: &str) -> Result<(), Error> {
    line("figure", &[part, what, figures])
}

fn line(kind: &str, fields: &[&str]) -> Result<(), Error> {
    let line = format!("{kind}\t{}\n", fields.join("\t"));
    // The terminal shows the line too, since a run takes minutes.
    std::io::stderr().write_all(line.as_bytes())?;
    if let Ok(path) = std::env::var("BENCH_ROWS") {
        std::fs::OpenOptions::new().append(true).create(true).open(path)?.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// Prints the report: the machine (described in the second file), the ratios, and the figures behind them.
///
/// # Errors
/// When a file cannot be read.
pub fn print(rows: &str, machine: &str) -> Result<(), Error> {
    let rows = std::fs::read_to_string(rows)?;
    let mut text = String::from(
        "# Results\n\nWritten by `benches/run.sh`; `benches/README.md` says what is measured and how.\n\n",
    );
    writeln!(text, "```text\n{}\n```\n", std::fs::read_to_string(machine)?.trim_end())?;
    for (kind, head) in [
        ("row", "## Ratios\n\n| part | what | measured | target | met |\n|---|---|---|---|---|\n"),
        ("figure", "\n## Figures behind them\n\n| part | of | figures |\n|---|---|---|\n"),
    ] {
        text.push_str(head);
        for line in rows.lines() {
            if let Some((found, fields)) = line.split_once('\t')
                && found == kind
            {
                writeln!(text, "| {} |", fields.replace('\t', " | "))?;
            }
        }
    }
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
