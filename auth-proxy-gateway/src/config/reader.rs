//! Reads keys and values of the parsed file, and collects the mistakes in them.

use std::ops::Range;
use std::time::Duration;

use auth_proxy_rules::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::mistake::Mistake;
use super::text::{Sources, Text};

/// A value of the file.
pub(crate) type Value<'f> = Spanned<DeValue<'f>>;

/// The mistakes found so far, and where values come from.
pub(crate) struct Reader<'s> {
    pub(crate) sources: Sources<'s>,
    pub(crate) mistakes: Vec<Mistake>,
    /// Whether the whole file could be read. If not, the part that was not read may have what is missing.
    pub(crate) is_complete: bool,
    /// The full name of each option of the gateway's own tables that was asked for.
    #[cfg(test)]
    pub(crate) known: Vec<String>,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(sources: Sources<'s>, is_complete: bool) -> Self {
        Self {
            sources,
            mistakes: Vec::new(),
            is_complete,
            #[cfg(test)]
            known: Vec::new(),
        }
    }
}

/// A table of the file whose keys are taken one after the other. Keys that are left are unknown.
pub(crate) struct Table<'t, 'f> {
    /// The name, such as `app`. Empty for the top level.
    name: &'static str,
    entries: Vec<(&'t str, Range<usize>, &'t Value<'f>)>,
    /// The keys that were asked for: those that the table may have.
    known: Vec<&'static str>,
}

impl<'t, 'f> Table<'t, 'f> {
    pub(crate) fn new(name: &'static str, table: &'t DeTable<'f>) -> Self {
        let entries = table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value)).collect();
        Self { name, entries, known: Vec::new() }
    }

    /// A table that the file does not have.
    pub(crate) fn empty(name: &'static str) -> Self {
        Self { name, entries: Vec::new(), known: Vec::new() }
    }

    /// Takes the value of a key.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<&'t Value<'f>> {
        self.known.push(key);
        let at = self.entries.iter().position(|(name, ..)| *name == key)?;
        Some(self.entries.remove(at).2)
    }

    /// Whether a key that is left is probably this one, misspelt.
    pub(crate) fn has_misspelt(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, ..)| nearest(name, [key]).is_some())
    }

    /// The keys that were asked for.
    pub(crate) fn known(&self) -> &[&'static str] {
        &self.known
    }

    /// Takes all that is left.
    pub(crate) fn rest(self) -> Vec<(&'t str, Range<usize>, &'t Value<'f>)> {
        self.entries
    }
}

impl Reader<'_> {
    pub(crate) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.mistakes.push(Mistake { span, message: message.into() });
    }

    /// Adds that something is not there.
    pub(crate) fn missing(&mut self, span: Range<usize>, message: impl Into<String>) {
        if self.is_complete {
            self.add(span, message);
        }
    }

    /// A text with its variables replaced. `expected` says what to write in place of another kind of value.
    pub(crate) fn text(&mut self, value: &Value<'_>, expected: &str) -> Option<Text> {
        let DeValue::String(written) = value.get_ref() else {
            self.add(value.span(), format!("expected {expected}, found {}", kind(value)));
            return None;
        };
        match self.sources.resolve(written) {
            Ok(text) => Some(text),
            Err(message) => {
                self.add(value.span(), message);
                None
            }
        }
    }

    /// A text that `parse` accepts.
    pub(crate) fn parsed<T>(
        &mut self,
        value: Option<&Value<'_>>,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = value?;
        let text = self.text(value, expected)?;
        match parse(&text.value) {
            Ok(parsed) => Some(parsed),
            Err(message) => {
                self.add(value.span(), message);
                None
            }
        }
    }

    /// A duration within bounds, such as `"10s"`.
    pub(crate) fn duration(
        &mut self,
        value: Option<&Value<'_>>,
        from: Duration,
        to: Duration,
    ) -> Option<Duration> {
        let written = |duration: Duration| match duration.as_secs() {
            0 => format!("{}ms", duration.as_millis()),
            seconds => format!("{seconds}s"),
        };
        let expected = format!("a duration from `\"{}\"` to `\"{}\"`", written(from), written(to));
        self.parsed(value, &expected, |text| match auth_proxy_rules::duration(text) {
            Ok(duration) if (from..=to).contains(&duration) => Ok(duration),
            Ok(_) => Err(format!("expected {expected}")),
            Err(error) => Err(error.message().to_owned()),
        })
    }

    pub(crate) fn boolean(&mut self, value: Option<&Value<'_>>) -> Option<bool> {
        let value = value?;
        match value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            DeValue::String(_) => self.parsed(Some(value), "`true` or `false`", |text| {
                text.parse().map_err(|_| "expected `true` or `false`".to_owned())
            }),
            _ => {
                self.add(value.span(), format!("expected `true` or `false`, found {}", kind(value)));
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(crate) fn count(&mut self, value: Option<&Value<'_>>, from: usize, to: usize) -> Option<usize> {
        let value = value?;
        let expected = format!("a whole number from {from} to {to}");
        let number = match value.get_ref() {
            DeValue::Integer(number) => number.to_string().parse().ok(),
            DeValue::String(_) => self.text(value, &expected)?.value.parse().ok(),
            _ => None,
        };
        match number.filter(|number| (from..=to).contains(number)) {
            Some(number) => Some(number),
            None => {
                self.add(value.span(), format!("expected {expected}"));
                None
            }
        }
    }

    /// A list of texts, each with its place. A single text separates the items with commas, as a variable does.
    pub(crate) fn items(&mut self, value: &Value<'_>, expected: &str) -> Option<Vec<(Text, Range<usize>)>> {
        match value.get_ref() {
            DeValue::Array(items) => {
                let count = self.mistakes.len();
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    let Some(text) = self.text(item, expected) else { continue };
                    if text.value.contains(',') && text.is_literal {
                        self.add(
                            item.span(),
                            "an item contains no comma: write each item in quotes of its own",
                        );
                        continue;
                    }
                    texts.push((text, item.span()));
                }
                (self.mistakes.len() == count).then_some(texts)
            }
            _ => {
                let text = self.text(value, expected)?;
                let split = text.value.split(',').map(str::trim).filter(|item| !item.is_empty());
                let item = |item: &str| {
                    (
                        Text { value: Zeroizing::new(item.to_owned()), is_literal: text.is_literal },
                        value.span(),
                    )
                };
                Some(split.map(item).collect())
            }
        }
    }

    /// One of several words.
    pub(crate) fn word<T: Copy>(&mut self, value: Option<&Value<'_>>, words: &[(&str, T)]) -> Option<T> {
        let value = value?;
        let list = words.iter().map(|(word, _)| format!("`\"{word}\"`")).collect::<Vec<_>>().join(" or ");
        self.parsed(Some(value), &list, |text| {
            words
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, value)| *value)
                .ok_or_else(|| format!("expected {list}"))
        })
    }

    /// The table behind a key.
    pub(crate) fn table<'t, 'f>(
        &mut self,
        name: &'static str,
        value: Option<&'t Value<'f>>,
    ) -> Option<Table<'t, 'f>> {
        let value = value?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Table::new(name, table)),
            _ => {
                self.add(value.span(), format!("expected a table, found {}: write `[{name}]`", kind(value)));
                None
            }
        }
    }

    /// Reports the keys of a table that nothing asked for.
    pub(crate) fn unknown(&mut self, table: Table<'_, '_>) {
        let Table { name, entries, known } = table;
        #[cfg(test)]
        self.known.extend(known.iter().map(|key| format!("{}.{key}", name.trim_matches(['[', ']']))));
        for (key, span, _) in entries {
            let message = match nearest(key, known.iter().copied()) {
                Some(near) => format!("there is no option `{key}` in `[{name}]`: write `{near}`"),
                None => format!("there is no option `{key}` in `[{name}]`: it has {}", listed(&known)),
            };
            self.add(span, message);
        }
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The kind of a value, for a message.
pub(crate) fn kind(value: &Value<'_>) -> &'static str {
    match value.get_ref() {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
