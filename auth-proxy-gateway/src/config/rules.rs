//! `[[rules]]`: which visitors may have which paths.

use auth_proxy::rules::{DynRule, all, max_age, organization, permission, role};
use auth_proxy::verdict::{PathRules, Requirement};
use auth_proxy_rules::{duration, nearest};
use toml::de::DeValue;

use super::reader::{Reader, Value, kind};
use crate::gateway::Gateway;

pub(crate) const KEYS: [&str; 2] = ["path", "require"];

/// The words that `require` may be.
const WORDS: [&str; 3] = ["public", "guests", "session"];

/// The rules that name something, each with an example.
const NAMED: [(&str, &str); 4] =
    [("role", "admin"), ("permission", "orders:read"), ("organization", "acme"), ("max_age", "10m")];

/// Reads the rules, in the order of the file.
pub(crate) fn read(reader: &mut Reader<'_>, value: Option<&Value<'_>>) -> PathRules<Gateway> {
    let mut rules = PathRules::new();
    let Some(value) = value else { return rules };
    let DeValue::Array(list) = value.get_ref() else {
        reader
            .add(value.span(), format!("expected a list of rules, found {}: write `[[rules]]`", kind(value)));
        return rules;
    };
    for rule in list {
        rules = one(reader, rules, rule);
    }
    rules
}

/// Adds one rule.
fn one(reader: &mut Reader<'_>, rules: PathRules<Gateway>, value: &Value<'_>) -> PathRules<Gateway> {
    let Some(mut table) = reader.table("[rules]", Some(value)) else { return rules };
    let mut take = |key: &str, example: &str| {
        let taken = table.take(key);
        if taken.is_none() && !table.has_misspelt(key) {
            reader.missing(value.span(), format!("`{key}` is missing: write `{key} = \"{example}\"`"));
        }
        taken
    };
    let (path, require) = (take("path", "/admin/**"), take("require", "session"));
    reader.unknown(table, &KEYS);
    let requirement = require.and_then(|value| requirement(reader, value));
    let Some(path) = path else { return rules };
    let Some(pattern) = reader.text(path, "`path = \"/admin/**\"`") else { return rules };
    // Without a requirement the pattern is checked all the same.
    match rules.clone().add(&pattern.value, requirement.unwrap_or(Requirement::Session)) {
        Ok(rules) => rules,
        Err(error) => {
            let refusal = if pattern.is_literal { error.quoted() } else { error.message().to_owned() };
            reader.add(path.span(), refusal);
            rules
        }
    }
}

/// One requirement, or a list of rules that all have to allow.
fn requirement(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Requirement<Gateway>> {
    let expected = "`require = \"session\"` or `require = \"role:admin\"`";
    let DeValue::Array(list) = value.get_ref() else {
        let text = reader.text(value, expected)?;
        return match text.value.as_str() {
            "public" => Some(Requirement::Public),
            "guests" => Some(Requirement::Guests),
            "session" => Some(Requirement::Session),
            text => named(reader, value, text).map(Requirement::Rule),
        };
    };
    let mut rules = Vec::new();
    for item in list {
        let text = reader.text(item, expected)?;
        if WORDS.contains(&text.value.as_str()) {
            let message =
                format!("`{}` stands alone: a list has rules such as `\"role:admin\"`", text.value.as_str());
            reader.add(item.span(), message);
            return None;
        }
        rules.push(named(reader, item, &text.value)?);
    }
    if rules.is_empty() {
        reader.add(value.span(), format!("the list is empty: write {expected}"));
        return None;
    }
    Some(Requirement::Rule(DynRule::new(all(rules))))
}

/// A rule such as `role:admin`.
fn named(reader: &mut Reader<'_>, value: &Value<'_>, text: &str) -> Option<DynRule<Gateway>> {
    let (name, argument) = text.split_once(':').unwrap_or((text, ""));
    let argument = argument.trim();
    if argument.is_empty() {
        let example = NAMED.iter().find(|(known, _)| *known == name);
        let message = match (example, nearest(name, WORDS)) {
            (Some((name, example)), _) => format!("`{name}` needs a name: write `\"{name}:{example}\"`"),
            (None, Some(near)) => format!("there is no requirement `{text}`: write `\"{near}\"`"),
            (None, None) => unknown(text),
        };
        reader.add(value.span(), message);
        return None;
    }
    Some(match name {
        "role" => DynRule::new(role(argument)),
        "permission" => DynRule::new(permission(argument)),
        "organization" => DynRule::new(organization(argument)),
        "max_age" => match duration(argument) {
            Ok(age) => DynRule::new(max_age(age)),
            Err(error) => {
                reader.add(value.span(), format!("`max_age`: {}", error.message()));
                return None;
            }
        },
        _ => {
            let near = nearest(name, NAMED.map(|(name, _)| name));
            let message = near.map_or_else(
                || unknown(text),
                |near| format!("there is no requirement `{text}`: write `\"{near}:{argument}\"`"),
            );
            reader.add(value.span(), message);
            return None;
        }
    })
}

fn unknown(text: &str) -> String {
    let words = WORDS.iter().map(|word| format!("`\"{word}\"`"));
    let named = NAMED.iter().map(|(name, example)| format!("`\"{name}:{example}\"`"));
    format!(
        "there is no requirement `{text}`: write one of {}",
        words.chain(named).collect::<Vec<_>>().join(", ")
    )
}
