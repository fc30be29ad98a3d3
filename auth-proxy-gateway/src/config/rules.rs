//! `[[rules]]`: which visitors may have which paths.

use std::ops::Range;

use super::reader::{Reader, Value, kind};
use toml::de::DeValue;

pub(crate) const KEYS: [&str; 2] = ["path", "require"];

/// A rule as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) path: String,
    pub(crate) path_span: Range<usize>,
    pub(crate) require: String,
    pub(crate) require_span: Range<usize>,
}

pub(crate) fn read(reader: &mut Reader<'_>, value: Option<&Value<'_>>) -> Vec<Rule> {
    let Some(value) = value else { return Vec::new() };
    let DeValue::Array(rules) = value.get_ref() else {
        reader.add(value.span(), format!("expected a list of rules, found {}: write `[[rules]]`", kind(value)));
        return Vec::new();
    };
    rules.iter().filter_map(|rule| one(reader, rule)).collect()
}

fn one(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Rule> {
    let mut table = reader.table("rules", Some(value))?;
    let mut text = |key: &str, example: &str| {
        let taken = table.take(key);
        if taken.is_none() {
            reader.add(value.span(), format!("`{key}` is missing: write `{key} = \"{example}\"`"));
        }
        let taken = taken?;
        let text = reader.text(taken, &format!("`{key} = \"{example}\"`"))?;
        Some((text.value.to_string(), taken.span()))
    };
    let path = text("path", "/admin/**");
    let require = text("require", "session");
    reader.unknown(table, &KEYS);
    let ((path, path_span), (require, require_span)) = (path?, require?);
    Some(Rule { path, path_span, require, require_span })
}
