//! [`Rate`]: how often something may happen.

use std::fmt;
use std::time::Duration;

use crate::invalid_value::InvalidValue;
use crate::units::{DURATION_UNITS, duration};

/// The most that a rate may allow.
const MOST: u32 = 1_000_000;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How often something may happen: `count` times in a window of the length `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How often.
    pub count: u32,
    /// The length of the window.
    pub per: Duration,
}

/// As it is written: `20/1m`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.per.as_millis();
        let mut units = DURATION_UNITS.into_iter().rev().map(|(unit, length)| (unit, u128::from(length)));
        let (unit, length) = units.find(|(_, length)| millis.is_multiple_of(*length)).unwrap_or(("ms", 1));
        write!(f, "{}/{}{unit}", self.count, millis / length)
    }
}

/// Reads a rate such as `20/1m`: a whole number, `/`, and a duration.
pub(crate) fn rate(text: &str) -> Result<Rate, InvalidValue> {
    let expected = || InvalidValue::with_part("expected a number, `/` and a duration, such as `20/1m`", text);
    let (count, per) = text.split_once('/').ok_or_else(expected)?;
    let digits = count.trim().replace('_', "");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(expected());
    }
    let count = digits.parse().ok().filter(|count| (1..=MOST).contains(count));
    let count = count.ok_or_else(|| {
        InvalidValue::with_part(format!("expected a whole number from 1 to {MOST} before the `/`"), digits)
    })?;
    let per = duration(per.trim())?;
    if !(SHORTEST..=LONGEST).contains(&per) {
        return Err(InvalidValue::with_part("expected a duration from `1s` to `24h` after the `/`", text));
    }
    Ok(Rate { count, per })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_a_number_and_a_duration() {
        for (text, count, seconds, shown) in [
            ("20/1m", 20, 60, "20/1m"),
            ("5/15m", 5, 900, "5/15m"),
            ("1_000 / 60m", 1000, 3600, "1000/1h"),
            ("1/1s", 1, 1, "1/1s"),
            ("1000000/24h", 1_000_000, 86_400, "1000000/24h"),
        ] {
            let read = rate(text).unwrap();
            assert_eq!(read, Rate { count, per: Duration::from_secs(seconds) }, "{text}");
            assert_eq!(read.to_string(), shown);
        }
        for bad in [
            "",
            "20",
            "20/",
            "/1m",
            "20/m",
            "20/1",
            "20/1min",
            "0/1m",
            "-1/1m",
            "+5/1m",
            "1.5/1m",
            "1000001/1m",
            "20/999ms",
            "20/25h",
            "20/1m/1m",
            "20 per 1m",
            "99999999999999/1m",
        ] {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }
}
