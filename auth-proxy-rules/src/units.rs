//! Parses durations and sizes with a unit, such as `5s` and `1MiB`.

use std::time::Duration;

use crate::invalid_value::InvalidValue;
use crate::suggest::nearest;

/// The units of a duration, each with its length in milliseconds, the shortest first.
pub const DURATION_UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// The units of a size, each with its bytes, the smallest first.
pub const SIZE_UNITS: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// Reads a duration: a whole number with `ms`, `s`, `m` or `h` directly after it.
///
/// # Errors
/// When the number or the unit is missing or unknown, or the value does not fit.
pub fn duration(text: &str) -> Result<Duration, InvalidValue> {
    quantity(text, &DURATION_UNITS, "a duration such as `500ms`, `5s` or `2m`").map(Duration::from_millis)
}

/// Reads a size in bytes: a whole number with `B`, `KiB`, `MiB` or `GiB` directly after it.
///
/// # Errors
/// When the number or the unit is missing or unknown, or the value does not fit.
pub fn size(text: &str) -> Result<u64, InvalidValue> {
    quantity(text, &SIZE_UNITS, "a size such as `64KiB` or `1MiB`")
}

fn quantity(text: &str, units: &[(&str, u64)], expected: &str) -> Result<u64, InvalidValue> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number = number.replace('_', "");
    if number.is_empty() {
        return Err(InvalidValue::with_part(format!("expected {expected}"), text));
    }
    if unit.starts_with('.') {
        let message = format!("the number is whole, in a smaller unit where needed: expected {expected}");
        return Err(InvalidValue::with_part(message, text));
    }
    let names = || units.iter().map(|(name, _)| *name);
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let list = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        return Err(if unit.is_empty() {
            InvalidValue::new(format!("the number needs a unit, one of {list}: expected {expected}"))
        } else {
            let hint = names()
                .find(|name| name.eq_ignore_ascii_case(unit))
                .or_else(|| nearest(unit, names()))
                .map(|name| format!(" (nearest: `{name}`)"))
                .unwrap_or_default();
            InvalidValue::with_part(format!("unknown unit, expected one of {list}{hint}"), unit)
        });
    };
    let number: u64 = number.parse().map_err(|_| InvalidValue::new("the number is too large"))?;
    number.checked_mul(*factor).ok_or_else(|| InvalidValue::new("the number is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_with_a_unit_are_parsed() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(size("1MiB"), Ok(1 << 20));
        assert_eq!(size("1_000B"), Ok(1000));
    }

    #[test]
    fn fraction_is_refused_with_its_own_message() {
        assert!(duration("1.5s").unwrap_err().message().contains("whole"));
        assert!(size("1.5MiB").unwrap_err().message().contains("whole"));
    }

    #[test]
    fn unknown_units_and_too_large_numbers_are_refused() {
        for text in ["", "5", "s", "-5s", "5 s", "1.5s", "5sec", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["1kb", "1MB", "1 MiB", "18446744073709551615GiB", "MiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
