//! [`Rule`]: how the value of one option is read from text and how a typed value is checked.

use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::choices::Choice;
use crate::invalid_value::InvalidValue;
use crate::shape::Shape;
use crate::store_url::{StoreUrl, store_url};
use crate::units;
use crate::words_or_text::WordsOrText;

/// The rule that the value of an option follows.
///
/// Source code and environment give text, which is parsed and checked. The builder gives typed values, which are
/// checked but not converted to text: a duration keeps its precision, and a list item may contain a comma.
pub trait Rule {
    /// The type of a checked value.
    type Value: Clone;
    /// The type that the builder's method takes.
    type Input;

    /// How the value is written in an `auth_proxy!` block.
    fn shape(&self) -> Shape;

    /// Reads and checks text.
    ///
    /// # Errors
    /// When the text is no such value or breaks the rule.
    fn parse(&self, text: &str) -> Result<Self::Value, InvalidValue>;

    /// Checks a typed value.
    ///
    /// # Errors
    /// When the value breaks the rule.
    fn check(&self, input: Self::Input) -> Result<Self::Value, InvalidValue>;

    /// The text of a typed value, if it is a text.
    fn text<'i>(&self, _input: &'i Self::Input) -> Option<&'i str> {
        None
    }

    /// A note for the log if a text is stored in another form.
    fn note(&self, _text: &str) -> Option<&'static str> {
        None
    }

    /// The advice for a text that is another name for a value.
    fn hint(&self, _text: &str) -> Option<&'static str> {
        None
    }
}

/// A string.
#[derive(Debug)]
pub struct Text<T>(pub(crate) fn(&str) -> Result<T, InvalidValue>);

impl<T: Clone> Rule for Text<T> {
    type Value = T;
    type Input = String;

    fn shape(&self) -> Shape {
        Shape::Text
    }

    fn parse(&self, text: &str) -> Result<T, InvalidValue> {
        self.0(text)
    }

    fn check(&self, input: String) -> Result<T, InvalidValue> {
        self.0(&input)
    }
}

/// The address of a store, written with the kind of the store.
#[derive(Debug)]
pub struct Store;

impl Rule for Store {
    type Value = StoreUrl;
    type Input = String;

    fn shape(&self) -> Shape {
        Shape::Store
    }

    fn parse(&self, text: &str) -> Result<StoreUrl, InvalidValue> {
        store_url(text.to_owned())
    }

    fn check(&self, input: String) -> Result<StoreUrl, InvalidValue> {
        store_url(input)
    }
}

/// A path, kept without the trailing `/`.
#[derive(Debug)]
pub struct Path;

impl Rule for Path {
    type Value = String;
    type Input = String;

    fn shape(&self) -> Shape {
        Shape::Text
    }

    fn parse(&self, text: &str) -> Result<String, InvalidValue> {
        crate::path(text)
    }

    fn check(&self, input: String) -> Result<String, InvalidValue> {
        crate::path(&input)
    }

    fn text<'i>(&self, input: &'i String) -> Option<&'i str> {
        Some(input)
    }

    fn note(&self, text: &str) -> Option<&'static str> {
        text.ends_with('/').then_some("the trailing `/` is taken off")
    }
}

/// One of the bare words of `T`.
#[derive(Debug)]
pub struct Word<T>(pub(crate) PhantomData<T>);

impl<T: Choice> Rule for Word<T> {
    type Value = T;
    type Input = T;

    fn shape(&self) -> Shape {
        Shape::Word(T::NAMES)
    }

    fn parse(&self, text: &str) -> Result<T, InvalidValue> {
        T::read(text)
    }

    fn check(&self, input: T) -> Result<T, InvalidValue> {
        Ok(input)
    }

    fn hint(&self, text: &str) -> Option<&'static str> {
        T::hint(text)
    }
}

/// One of the bare words of `T`, or a text.
#[derive(Debug)]
pub struct WordOrText<T>(pub(crate) PhantomData<T>);

impl<T: WordsOrText + Clone + FromStr<Err = InvalidValue>> Rule for WordOrText<T> {
    type Value = T;
    type Input = T;

    fn shape(&self) -> Shape {
        Shape::WordOrText(T::NAMES)
    }

    fn parse(&self, text: &str) -> Result<T, InvalidValue> {
        text.parse()
    }

    fn check(&self, input: T) -> Result<T, InvalidValue> {
        input.checked()
    }
}

/// `true` or `false`.
#[derive(Debug)]
pub struct Switch;

impl Rule for Switch {
    type Value = bool;
    type Input = bool;

    fn shape(&self) -> Shape {
        Shape::Bool
    }

    fn parse(&self, text: &str) -> Result<bool, InvalidValue> {
        text.parse().map_err(|_| InvalidValue::with_part("expected `true` or `false`", text))
    }

    fn check(&self, input: bool) -> Result<bool, InvalidValue> {
        Ok(input)
    }
}

/// Whether zero is allowed, and the bare word that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zero {
    Refused,
    Off,
    Always,
}

impl Zero {
    fn word(self) -> Option<&'static str> {
        match self {
            Self::Refused => None,
            Self::Off => Some("off"),
            Self::Always => Some("always"),
        }
    }
}

/// A duration within bounds, or zero if `zero` allows it.
#[derive(Debug)]
pub struct Durations {
    pub(crate) bounds: RangeInclusive<Duration>,
    pub(crate) zero: Zero,
}

impl Durations {
    fn within(&self, value: Duration) -> Result<Duration, InvalidValue> {
        if self.bounds.contains(&value) {
            return Ok(value);
        }
        let [from, to] = [self.bounds.start(), self.bounds.end()].map(|bound| match bound.as_secs() {
            0 => format!("{}ms", bound.as_millis()),
            secs if secs % 3600 == 0 => format!("{}h", secs / 3600),
            secs if secs % 60 == 0 => format!("{}m", secs / 60),
            secs => format!("{secs}s"),
        });
        Err(InvalidValue::new(format!("expected a duration from `{from}` to `{to}`")))
    }
}

impl Rule for Durations {
    type Value = Duration;
    type Input = Duration;

    fn shape(&self) -> Shape {
        match self.zero {
            Zero::Refused => Shape::Duration,
            Zero::Off => Shape::DurationOrOff,
            Zero::Always => Shape::DurationOrAlways,
        }
    }

    fn parse(&self, text: &str) -> Result<Duration, InvalidValue> {
        if Some(text) == self.zero.word() {
            return Ok(Duration::ZERO);
        }
        self.within(units::duration(text)?).map_err(|error| error.found(text))
    }

    fn check(&self, input: Duration) -> Result<Duration, InvalidValue> {
        if input.is_zero() && self.zero != Zero::Refused { Ok(input) } else { self.within(input) }
    }
}

/// A size in bytes within bounds. The message `expected` must name them.
#[derive(Debug)]
pub struct Sizes {
    pub(crate) bounds: RangeInclusive<u64>,
    pub(crate) expected: &'static str,
}

impl Rule for Sizes {
    type Value = u64;
    type Input = u64;

    fn shape(&self) -> Shape {
        Shape::Size
    }

    fn parse(&self, text: &str) -> Result<u64, InvalidValue> {
        self.check(units::size(text)?).map_err(|error| error.found(text))
    }

    fn check(&self, input: u64) -> Result<u64, InvalidValue> {
        if self.bounds.contains(&input) { Ok(input) } else { Err(InvalidValue::new(self.expected)) }
    }
}

/// A whole number from 1 to `most`, or zero, written `off`, if `zero_is_off`.
#[derive(Debug)]
pub struct Counts {
    pub(crate) most: u32,
    pub(crate) zero_is_off: bool,
}

impl Counts {
    fn expected(&self) -> InvalidValue {
        let or_off = if self.zero_is_off { ", or `off`" } else { "" };
        InvalidValue::new(format!("expected a whole number from 1 to {}{or_off}", self.most))
    }
}

impl Rule for Counts {
    type Value = u32;
    type Input = u32;

    fn shape(&self) -> Shape {
        if self.zero_is_off { Shape::CountOrOff } else { Shape::Count }
    }

    fn parse(&self, text: &str) -> Result<u32, InvalidValue> {
        if self.zero_is_off && text == "off" {
            return Ok(0);
        }
        let digits = text.replace('_', "");
        let number = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        number.filter(|number| (1..=self.most).contains(number)).ok_or_else(|| self.expected().found(text))
    }

    fn check(&self, input: u32) -> Result<u32, InvalidValue> {
        let least = if self.zero_is_off { 0 } else { 1 };
        if (least..=self.most).contains(&input) { Ok(input) } else { Err(self.expected()) }
    }
}

/// A list of strings. A single text separates the items with commas.
#[derive(Debug)]
pub struct List<T>(pub(crate) fn(&[&str]) -> Result<Vec<T>, InvalidValue>);

/// A list of names, which may also be bare words. A single text separates the items with commas.
#[derive(Debug)]
pub struct Names<T>(pub(crate) fn(&[&str]) -> Result<Vec<T>, InvalidValue>);

/// Checks the items of a text that separates them with commas.
fn split_items<T>(text: &str, items: fn(&[&str]) -> T) -> T {
    trimmed_items(text.split(','), items)
}

/// Checks items, each without the white space around it. Empty items are skipped.
fn trimmed_items<'i, T>(given: impl Iterator<Item = &'i str>, items: fn(&[&str]) -> T) -> T {
    items(&given.map(str::trim).filter(|item| !item.is_empty()).collect::<Vec<_>>())
}

impl<T: Clone> Rule for List<T> {
    type Value = Vec<T>;
    type Input = Vec<String>;

    fn shape(&self) -> Shape {
        Shape::List
    }

    fn parse(&self, text: &str) -> Result<Vec<T>, InvalidValue> {
        split_items(text, self.0)
    }

    fn check(&self, input: Vec<String>) -> Result<Vec<T>, InvalidValue> {
        trimmed_items(input.iter().map(String::as_str), self.0)
    }
}

impl<T: Clone> Rule for Names<T> {
    type Value = Vec<T>;
    type Input = Vec<String>;

    fn shape(&self) -> Shape {
        Shape::Names
    }

    fn parse(&self, text: &str) -> Result<Vec<T>, InvalidValue> {
        split_items(text, self.0)
    }

    fn check(&self, input: Vec<String>) -> Result<Vec<T>, InvalidValue> {
        trimmed_items(input.iter().map(String::as_str), self.0)
    }
}

#[cfg(test)]
mod tests;
