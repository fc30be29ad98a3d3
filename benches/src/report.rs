//! Writes the figures, and prints the table of results. A row is a line of tab-separated fields, so that shell scripts
//! can add rows too.

use std::fmt::Write as _;
use std::io::Write as _;
use std::str::FromStr;

use crate::Error;
use crate::stats::Estimate;

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
    value: Estimate,
    unit: &'a str,
    target: Target,
}

impl<'a> Row<'a> {
    /// A row of a part.
    #[must_use]
    pub fn new(
        part: &'a str,
        what: &'a str,
        value: impl Into<Estimate>,
        unit: &'a str,
        target: Target,
    ) -> Self {
        Self { part, what, value: value.into(), unit, target }
    }

    /// Adds the row to the file that `BENCH_ROWS` names, and prints it to stderr.
    ///
    /// # Errors
    /// If it cannot be written, or if the value is not finite: a division by zero means a failed run.
    pub fn write(&self) -> Result<(), Error> {
        let median = self.value.median;
        if !median.is_finite() {
            return Err(format!("{}, {}: no figure", self.part, self.what).into());
        }
        let (target, met) = match self.target {
            Target::AtLeast(limit) => (format!(">= {limit}"), if median >= limit { "yes" } else { "NO" }),
            Target::AtMost(limit) => (format!("<= {limit}"), if median <= limit { "yes" } else { "NO" }),
            Target::None => (String::new(), ""),
        };
        // The unit follows the median: `1.04x (1.02 to 1.06)`.
        let text = self.value.to_string();
        let (median, interval) = text.split_once(' ').unwrap_or((&text, ""));
        let value = format!("{median}{} {interval}", self.unit);
        line("row", &[self.part, self.what, value.trim_end(), &target, met])
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
