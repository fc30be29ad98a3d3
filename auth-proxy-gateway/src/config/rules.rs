//! `[[rules]]`: which visitors may have which paths.

use auth_proxy::options::InvalidValue;
use auth_proxy::rules::{DynRule, all, max_age, organization, permission, role};
use auth_proxy::verdict::{PathRules, Requirement};
use auth_proxy_rules::{duration, nearest};
use toml::de::DeValue;

use super::reader::{Reader, Value, kind};
use crate::gateway::Gateway;

/// The words that `require` may be.
const WORDS: [(&str, Requirement<Gateway>); 3] =
    [("public", Requirement::Public), ("guests", Requirement::Guests), ("session", Requirement::Session)];

/// Makes a rule of what stands behind the colon.
type Make = fn(&str) -> Result<DynRule<Gateway>, InvalidValue>;

/// The rules that name something, each with an example.
const NAMED: [(&str, &str, Make); 4] = [
    ("role", "admin", |name| Ok(DynRule::new(role(name)))),
    ("permission", "orders:read", |name| Ok(DynRule::new(permission(name)))),
    ("organization", "acme", |name| Ok(DynRule::new(organization(name)))),
    ("max_age", "10m", |age| Ok(DynRule::new(max_age(duration(age)?)))),
];

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
    let mut take = |key: &'static str, example: &str| {
        let taken = table.take(key);
        if taken.is_none() && !table.has_misspelt(key) {
            reader.missing(value.span(), format!("`{key}` is missing: write `{key} = \"{example}\"`"));
        }
        taken
    };
    let (path, require) = (take("path", "/admin/**"), take("require", "session"));
    reader.unknown(table);
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
        return match word(&text.value) {
            Some(requirement) => Some(requirement),
            None => named(reader, value, &text.value).map(Requirement::Rule),
        };
    };
    let mut rules = Vec::new();
    for item in list {
        let text = reader.text(item, expected)?;
        if word(&text.value).is_some() {
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

/// The requirement that is one word.
fn word(text: &str) -> Option<Requirement<Gateway>> {
    WORDS.into_iter().find_map(|(word, requirement)| (word == text).then_some(requirement))
}

/// A rule such as `role:admin`.
fn named(reader: &mut Reader<'_>, value: &Value<'_>, text: &str) -> Option<DynRule<Gateway>> {
    let (name, argument) = text.split_once(':').unwrap_or((text, ""));
    let argument = argument.trim();
    let known = NAMED.iter().find(|(known, ..)| *known == name);
    let refusal = match known {
        Some((name, example, _)) if argument.is_empty() => {
            format!("`{name}` needs a name: write `\"{name}:{example}\"`")
        }
        Some((name, _, make)) => match make(argument) {
            Ok(rule) => return Some(rule),
            Err(error) => format!("`{name}`: {}", error.message()),
        },
        None => match nearest(name, names(argument.is_empty())) {
            Some(near) if argument.is_empty() => {
                format!("there is no requirement `{text}`: write `\"{near}\"`")
            }
            Some(near) => format!("there is no requirement `{text}`: write `\"{near}:{argument}\"`"),
            None => unknown(text),
        },
    };
    reader.add(value.span(), refusal);
    None
}

/// The words, or the names of the rules that name something.
fn names(of_words: bool) -> impl Iterator<Item = &'static str> {
    let words = WORDS.into_iter().map(|(word, _)| word).filter(move |_| of_words);
    words.chain(NAMED.iter().map(|(name, ..)| *name).filter(move |_| !of_words))
}

fn unknown(text: &str) -> String {
    let words = WORDS.into_iter().map(|(word, _)| format!("`\"{word}\"`"));
    let named = NAMED.iter().map(|(name, example, _)| format!("`\"{name}:{example}\"`"));
    format!(
        "there is no requirement `{text}`: write one of {}",
        words.chain(named).collect::<Vec<_>>().join(", ")
    )
}
