//! Tests of how text and typed values are checked.

use super::*;

const TIMEOUT: Durations =
    Durations { bounds: Duration::from_millis(10)..=Duration::from_secs(600), zero: Zero::Refused };
const CACHE: Durations =
    Durations { bounds: Duration::from_millis(10)..=Duration::from_secs(3600), zero: Zero::Off };

#[test]
fn typed_duration_keeps_its_precision() {
    let precise = Duration::new(1, 234_567_890);
    assert_eq!(TIMEOUT.check(precise), Ok(precise));
}

#[test]
fn typed_and_text_durations_have_the_same_bounds() {
    for (typed, text) in [(9, "9ms"), (10, "10ms"), (600_000, "10m"), (600_001, "600001ms")] {
        let good = (10..=600_000).contains(&typed);
        assert_eq!(TIMEOUT.check(Duration::from_millis(typed)).is_ok(), good, "{typed}");
        assert_eq!(TIMEOUT.parse(text).is_ok(), good, "{text}");
    }
    assert!(TIMEOUT.check(Duration::new(600, 1)).is_err());
    assert!(TIMEOUT.check(Duration::from_micros(9_999)).is_err());
}

#[test]
fn zero_in_text_is_accepted_only_as_a_word() {
    assert!(TIMEOUT.check(Duration::ZERO).is_err() && TIMEOUT.parse("off").is_err());
    assert_eq!(CACHE.check(Duration::ZERO), Ok(Duration::ZERO));
    assert_eq!(CACHE.parse("off"), Ok(Duration::ZERO));
    assert!(CACHE.parse("always").is_err() && CACHE.parse("0s").is_err());
    let counts = |zero_is_off| Counts { most: 10, zero_is_off };
    assert_eq!((counts(true).check(0), counts(true).parse("off")), (Ok(0), Ok(0)));
    assert!(counts(false).check(0).is_err() && counts(false).parse("off").is_err());
    assert!(counts(true).parse("0").is_err() && counts(true).check(11).is_err());
}

#[test]
fn typed_list_items_are_not_split_at_commas() {
    let names = Names(|items| Ok(items.iter().map(|item| (*item).to_owned()).collect()));
    let given = ["a,b", " c ", ""].map(str::to_owned).to_vec();
    assert_eq!(names.check(given), Ok(vec!["a,b".to_owned(), "c".to_owned()]));
    assert_eq!(names.parse("a,b, c ,"), Ok(["a", "b", "c"].map(str::to_owned).to_vec()));
}
