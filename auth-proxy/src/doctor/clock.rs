//! Compares the clock of this machine with the `Date` of an answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{AGE, DATE};

use super::code::Code;
use super::finding::{Finding, Unchecked};
use crate::dialect::CLOCK_SKEW;
use crate::token::TOLERANCE;

/// Compares `Date` with `now`, in seconds since the Unix epoch. `took` is how long the answer may have been on its way.
///
/// # Errors
/// Without a `Date`, or with one of a cache.
pub(super) fn check(headers: &HeaderMap, now: u64, took: Duration) -> Result<Option<Finding>, Unchecked> {
    let Some(date) = date(headers) else {
        return Err(Unchecked::new("clock", "the answers have no `Date`"));
    };
    if headers.contains_key(AGE) {
        return Err(Unchecked::new("clock", "the answers come from a cache"));
    }
    let difference = date.abs_diff(now).saturating_sub(took.as_secs() + 1);
    if difference <= TOLERANCE.as_secs() {
        return Ok(None);
    }
    let code = if difference <= CLOCK_SKEW.as_secs() { Code::CLOCK_DIFFERS } else { Code::CLOCK_WRONG };
    let direction = if date > now { "ahead of" } else { "behind" };
    Ok(Some(Finding::new(
        code,
        format!("the clock of the server is {} seconds {direction} that of this machine", date.abs_diff(now)),
        "correct the wrong clock, and keep both in time with NTP (`timedatectl set-ntp true`, or chrony)",
    )))
}

fn date(headers: &HeaderMap) -> Option<u64> {
    let date: SystemTime = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_two_limits() {
        let mut headers = HeaderMap::new();
        // 1_600_000_000
        headers.insert(DATE, "Sun, 13 Sep 2020 12:26:40 GMT".parse().unwrap());
        let code = |now: u64, took| {
            let finding = check(&headers, now, Duration::from_secs(took)).unwrap();
            finding.map(|finding| (finding.code(), finding.evidence().contains("ahead")))
        };
        assert_eq!(code(1_600_000_000, 0), None);
        assert_eq!(code(1_600_000_016, 0), None);
        assert_eq!(code(1_599_999_984, 0), None);
        assert_eq!(code(1_600_000_017, 0), Some(("clock_differs", false)));
        assert_eq!(code(1_600_000_019, 3), None);
        assert_eq!(code(1_599_999_700, 0), Some(("clock_differs", true)));
        assert_eq!(code(1_599_999_000, 0), Some(("clock_wrong", true)));
        assert!(check(&HeaderMap::new(), 0, Duration::ZERO).is_err());
        headers.insert(AGE, "900".parse().unwrap());
        assert!(check(&headers, 1_600_000_900, Duration::ZERO).is_err());
    }
}
