//! Medians with confidence intervals.
//!
//! The interval is that of the median by order statistics. It assumes nothing about how the figures are distributed: of `n`
//! figures in order, the true median lies below the `k`-th lowest with the probability that of `n` tosses of a coin fewer than
//! `k` are heads, and above the `k`-th highest with the same. The largest `k` is taken for which both together are at most
//! 5 %. Fewer than six figures cannot reach that; then the interval is all of them, and covers less: 94 % of five, 75 % of
//! three.

use std::fmt;

use crate::Error;

/// A median, and the interval that has the true median in at least 19 of 20 runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The median. For an even number of figures, the mean of the two in the middle.
    pub median: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

impl Estimate {
    /// Of figures that were measured independently. Not a number without figures.
    #[must_use]
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let outside = outside(figures.len());
        let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        let last = figures.len().saturating_sub(1);
        Self {
            median: f64::midpoint(at(last / 2), at(figures.len() / 2)),
            low: at(outside),
            high: at(last.saturating_sub(outside)),
        }
    }

    /// Of the ratios within each round. Other load on the machine affects both sides of a round alike.
    #[must_use]
    pub fn of_ratios(above: &[f64], below: &[f64]) -> Self {
        Self::of(above.iter().zip(below).map(|(above, below)| above / below))
    }

    /// Of the differences within each round.
    #[must_use]
    pub fn of_differences(more: &[f64], less: &[f64]) -> Self {
        Self::of(more.iter().zip(less).map(|(more, less)| more - less))
    }

    /// The same, multiplied by a positive factor.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { median: self.median * factor, low: self.low * factor, high: self.high * factor }
    }
}

/// A figure that is no estimate, such as a number of instructions or of crates.
impl From<f64> for Estimate {
    fn from(exact: f64) -> Self {
        Self { median: exact, low: exact, high: exact }
    }
}

/// Three significant digits, or all of a large number: `1.04 (1.02 to 1.06)`.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, low, high } = *self;
        write!(f, "{}", short(median))?;
        if short(low) == short(high) { Ok(()) } else { write!(f, " ({} to {})", short(low), short(high)) }
    }
}

fn short(figure: f64) -> String {
    match figure.abs() {
        0.0..10.0 => format!("{figure:.2}"),
        10.0..100.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

/// An estimate from files that have the figure of one round in each line: the `median` of one file, or the `ratio` or
/// `difference` of two.
///
/// # Errors
/// When a file cannot be read, or has something else.
pub fn of_files(kind: &str, files: &[&str]) -> Result<Estimate, Error> {
    let read = |file: &&str| -> Result<Vec<f64>, Error> {
        Ok(std::fs::read_to_string(file)?.lines().map(str::parse).collect::<Result<_, _>>()?)
    };
    let figures = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    match (kind, figures.as_slice()) {
        ("median", [one]) => Ok(Estimate::of(one.iter().copied())),
        ("ratio", [above, below]) => Ok(Estimate::of_ratios(above, below)),
        ("difference", [more, less]) => Ok(Estimate::of_differences(more, less)),
        _ => Err(format!("{kind} of {} files", files.len()).into()),
    }
}

/// How many of the lowest figures, and of the highest, lie outside of the interval.
fn outside(figures: usize) -> usize {
    let tosses = i32::try_from(figures).unwrap_or(i32::MAX);
    // The probability of exactly `heads` heads, beginning with none.
    let (mut exactly, mut at_most, mut heads) = (0.5_f64.powi(tosses), 0.0, 0);
    loop {
        at_most += exactly;
        if 2.0 * at_most > 0.05 || heads >= figures / 2 {
            return heads;
        }
        heads += 1;
        #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
        let ratio = (figures - heads + 1) as f64 / heads as f64;
        exactly *= ratio;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_leaves_out_what_the_binomial_table_says() {
        // The largest number that lies below a two-sided 5 % (tables of the sign test).
        for (figures, expected) in [
            (0, 0),
            (1, 0),
            (3, 0),
            (5, 0),
            (6, 0),
            (8, 0),
            (9, 1),
            (10, 1),
            (12, 2),
            (15, 3),
            (20, 5),
            (25, 7),
        ] {
            assert_eq!(outside(figures), expected, "{figures}");
        }
    }

    #[test]
    fn estimate_has_median_and_interval() {
        let ten = Estimate::of([9.0, 1.0, 2.0, 3.0, 8.0, 4.0, 5.0, 7.0, 6.0, 10.0]);
        assert_eq!(ten, Estimate { median: 5.5, low: 2.0, high: 9.0 });
        let two = Estimate::of_ratios(&[2.0, 6.0, 8.0], &[1.0, 2.0, 2.0]);
        assert_eq!(two, Estimate { median: 3.0, low: 2.0, high: 4.0 });
        assert_eq!(Estimate::of_differences(&[2.0], &[0.5]), Estimate::from(1.5));
        assert!(Estimate::of([]).median.is_nan());
    }

    #[test]
    fn estimate_is_written_with_its_interval() {
        assert_eq!(Estimate::of([0.981, 0.983, 0.99]).to_string(), "0.98 (0.98 to 0.99)");
        assert_eq!(Estimate::from(12.34).to_string(), "12.3");
        assert_eq!(Estimate { median: 1234.5, low: 1200.0, high: 1300.0 }.to_string(), "1234 (1200 to 1300)");
    }
}
