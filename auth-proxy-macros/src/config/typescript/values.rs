//! Writes TypeScript values in the syntax of the block.

use auth_proxy_rules::{Draft, OptionKey, Shape, has_password, header_name, header_value};

use super::syntax::{self, Token, Value};

/// A value that is no object and no list.
enum Scalar {
    Text(String),
    /// A variable and its default.
    Env(String, Option<String>),
    /// A word, a number or a product of numbers.
    Bare(String),
}

/// The value of an option, if the rules accept it.
pub(super) fn written(option: OptionKey, value: &Value) -> Option<String> {
    match (option.shape(), value) {
        (Shape::Expression, _) => None,
        (Shape::Headers, Value::Object(entries)) => {
            let entries: Option<Vec<String>> =
                entries.iter().map(|(name, value)| header(name, value)).collect();
            Some(format!("{{ {} }}", entries?.join(", ")))
        }
        (Shape::Secret, Value::List(items)) => {
            let items: Option<Vec<String>> = items.iter().map(secret).collect();
            items.filter(|items| !items.is_empty()).map(|items| format!("[{}]", items.join(", ")))
        }
        (Shape::Secret, value) => secret(value),
        (Shape::List | Shape::Names, Value::List(items)) => list(option, items),
        (Shape::Store, Value::Other(tokens)) => store(option, scalar(tokens)?),
        (shape, Value::Other(tokens)) => match scalar(tokens)? {
            Scalar::Env(name, default) if option.takes_env() => Some(env(option, &name, default)),
            Scalar::Env(_, default) => literal(option, shape, default?),
            Scalar::Text(text) | Scalar::Bare(text) => literal(option, shape, text),
        },
        _ => None,
    }
}

fn header(name: &str, value: &Value) -> Option<String> {
    header_name(name).ok()?;
    let Value::Other(tokens) = value else { return None };
    let value = match scalar(tokens)? {
        Scalar::Env(variable, default) => match default.filter(|text| header_value(text).is_ok()) {
            Some(default) => format!("env({variable:?}, default = {default:?})"),
            None => format!("env({variable:?})"),
        },
        Scalar::Text(text) => {
            header_value(&text).ok()?;
            format!("{text:?}")
        }
        Scalar::Bare(_) => return None,
    };
    Some(format!("{name:?}: {value}"))
}

/// A secret is a variable: a literal is not repeated, and a default neither.
fn secret(value: &Value) -> Option<String> {
    let Value::Other(tokens) = value else { return None };
    match scalar(tokens) {
        Some(Scalar::Env(name, _)) => Some(format!("env({name:?})")),
        _ => Some(OptionKey::Secret.example().to_owned()),
    }
}

/// The address of a store. A password is not repeated.
fn store(option: OptionKey, value: Scalar) -> Option<String> {
    match value {
        Scalar::Env(name, default) => {
            let default = default.filter(|text| !has_password(text));
            Some(format!("redis({})", env(option, &name, default)))
        }
        Scalar::Text(text) if has_password(&text) => Some(option.example().to_owned()),
        Scalar::Text(text) => {
            Draft::default().set(option, &text).ok()?;
            Some(format!("redis({text:?})"))
        }
        Scalar::Bare(_) => None,
    }
}

fn list(option: OptionKey, items: &[Value]) -> Option<String> {
    let texts: Option<Vec<String>> = items
        .iter()
        .map(|item| match item {
            Value::Other(tokens) => match scalar(tokens)? {
                Scalar::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let texts = texts?;
    Draft::default().set(option, &texts.join(",")).ok()?;
    let quoted: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    Some(format!("[{}]", quoted.join(", ")))
}

fn env(option: OptionKey, name: &str, default: Option<String>) -> String {
    match default.filter(|text| Draft::default().set(option, text).is_ok()) {
        Some(default) => format!("env({name:?}, default = {default:?})"),
        None => format!("env({name:?})"),
    }
}

/// A literal as the shape writes it. TypeScript counts time in milliseconds and sizes in bytes.
fn literal(option: OptionKey, shape: Shape, text: String) -> Option<String> {
    let unit = match shape {
        Shape::Duration | Shape::DurationOrOff | Shape::DurationOrAlways => "ms",
        Shape::Size => "B",
        _ => "",
    };
    let is_number = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '_');
    let has_off = matches!(shape, Shape::DurationOrOff | Shape::CountOrOff);
    let text = match text.as_str() {
        "0" | "false" if has_off => "off".to_owned(),
        _ if is_number => format!("{text}{unit}"),
        _ => text,
    };
    Draft::default().set(option, &text).ok()?;
    let is_bare = match shape {
        Shape::Text => false,
        Shape::WordOrText(words) => words.contains(&text.as_str()),
        _ => true,
    };
    Some(match shape {
        Shape::List | Shape::Names => format!("[{text:?}]"),
        _ if is_bare => text,
        _ => format!("{text:?}"),
    })
}

/// Notes about variables that stand for a text with more than the variable in it, such as `Bearer ${process.env.KEY}`.
/// The text itself may be secret, so that it is not repeated.
pub(super) fn notes(value: &Value) -> Vec<String> {
    match value {
        Value::Object(entries) => entries.iter().flat_map(|(_, value)| notes(value)).collect(),
        Value::List(items) => items.iter().flat_map(notes).collect(),
        Value::Other(tokens) => match (tokens.as_slice(), scalar(tokens)) {
            ([Token::Template(text)], Some(Scalar::Env(name, _))) if !is_one_variable(text) => {
                vec![format!("`{name}` must hold the whole text, also what stands around `${{..}}`")]
            }
            _ => Vec::new(),
        },
    }
}

fn is_one_variable(template: &str) -> bool {
    template.starts_with("${") && template.find('}') == Some(template.len() - 1)
}

fn scalar(tokens: &[Token]) -> Option<Scalar> {
    if let Some(at) = tokens.iter().position(|token| *token == Token::Word("env".to_owned())) {
        let name = tokens.iter().skip(at + 1).find_map(|token| match token {
            Token::Word(word) if ["get", "var", "var_os"].contains(&word.as_str()) => None,
            Token::Word(name) | Token::Text(name) => Some(name.clone()),
            _ => None,
        });
        return Some(Scalar::Env(name.filter(|name| is_variable(name))?, default(tokens)));
    }
    match tokens {
        [Token::Text(text)] => Some(Scalar::Text(text.clone())),
        [Token::Template(text)] => match text.split_once("${") {
            None => Some(Scalar::Text(text.clone())),
            // The variable must hold the whole text: a value of the block has no parts.
            Some((_, rest)) => {
                let inner = rest.split_once('}').map_or(rest, |(inner, _)| inner);
                scalar(&syntax::tokens(inner)).filter(|scalar| matches!(scalar, Scalar::Env(..)))
            }
        },
        // A type assertion, such as `'jwt' as const`.
        [first, Token::Word(word), ..] if word == "as" || word == "satisfies" => {
            scalar(std::slice::from_ref(first))
        }
        [Token::Word(word)] => Some(Scalar::Bare(word.clone())),
        _ => product(tokens).map(|product| Scalar::Bare(product.to_string())),
    }
}

/// `5 * 60 * 1000`
fn product(tokens: &[Token]) -> Option<u64> {
    tokens.split(|token| *token == Token::Sign('*')).try_fold(1_u64, |product, factor| match factor {
        [Token::Word(number)] => product.checked_mul(number.replace('_', "").parse().ok()?),
        _ => None,
    })
}

/// The text after `??` or `||`.
fn default(tokens: &[Token]) -> Option<String> {
    let at = tokens.windows(2).position(|pair| {
        pair == [Token::Sign('?'), Token::Sign('?')] || pair == [Token::Sign('|'), Token::Sign('|')]
    })?;
    match tokens.get(at + 2..)? {
        [Token::Text(text) | Token::Word(text)] => Some(text.clone()),
        [Token::Template(text)] if !text.contains("${") => Some(text.clone()),
        _ => None,
    }
}

fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
