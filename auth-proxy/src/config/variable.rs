//! [`Variable`]: an environment variable that a declaration reads, and the `.env.example` of all of them.

use std::fmt::Write as _;

use auth_proxy_rules::{OptionKey, Shape};

/// An environment variable that a declaration reads: an entry of `Auth::VARIABLES`.
///
/// ```
/// use auth_proxy::auth_proxy;
///
/// auth_proxy! {
///     pub struct Auth {
///         upstream: { base_url: env("AUTH_UPSTREAM_URL"), timeout: env("AUTH_TIMEOUT", default = "5s") },
///     }
/// }
///
/// let [url, timeout] = Auth::VARIABLES else { panic!() };
/// assert_eq!((url.name, url.option, url.is_required), ("AUTH_UPSTREAM_URL", "upstream.base_url", true));
/// assert_eq!((timeout.is_required, timeout.default), (false, Some("5s")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Variable {
    /// The name of the variable.
    pub name: &'static str,
    /// The full name of the option that is read from it, such as `upstream.secret` or `upstream.headers["x-api-key"]`.
    pub option: &'static str,
    /// Whether `from_env()` fails without it.
    pub is_required: bool,
    /// The value if the variable is unset or empty. `None` for a header, whose text may be a key.
    pub default: Option<&'static str>,
}

impl Variable {
    /// For the macro.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        option: &'static str,
        is_required: bool,
        default: Option<&'static str>,
    ) -> Self {
        Self { name, option, is_required, default }
    }

    /// What the option does and which values it takes, in one line.
    fn description(&self) -> String {
        let (key, _) = self.option.split_once('[').unwrap_or((self.option, ""));
        let Some(option) = OptionKey::ALL.iter().find(|option| option.to_string() == key) else {
            return self.option.to_owned();
        };
        let documentation = option.documentation().concat();
        // The documentation begins with the name of the option, which a header completes.
        let text = documentation.split_once(": ").map_or(documentation.as_str(), |(_, text)| text);
        let values = match option.shape() {
            Shape::Word(words) => format!(" One of: {}.", words.join(", ")),
            Shape::WordOrText(words) => format!(" {}, or another text.", words.join(", ")),
            Shape::Bool => " true or false.".to_owned(),
            Shape::List | Shape::Names => " Several with commas between them.".to_owned(),
            _ => String::new(),
        };
        let required = if self.is_required { " Required." } else { "" };
        format!("{}: {text}{values}{required}", self.option)
    }
}

/// A `.env.example` with these variables: what each is for, whether it is required, and its default. The lines of
/// variables that may be unset are comments.
#[must_use]
pub(crate) fn env_example(variables: &[Variable]) -> String {
    let mut text = String::new();
    let mut written: Vec<&str> = Vec::new();
    for variable in variables {
        if written.contains(&variable.name) {
            continue;
        }
        written.push(variable.name);
        let uses = variables.iter().filter(|other| other.name == variable.name);
        if !text.is_empty() {
            text.push('\n');
        }
        for line in uses.clone().flat_map(|used| wrapped(&used.description())) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# {line}");
        }
        let is_required = uses.clone().any(|used| used.is_required);
        let default = uses.filter_map(|used| used.default).next();
        let comment = if is_required { "" } else { "# " };
        let _ = writeln!(text, "{comment}{}={}", variable.name, default.map(quoted).unwrap_or_default());
    }
    text
}

/// The text in lines of at most 100 columns.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 98 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A value as `.env` files have it: bare, in single quotes, or in double quotes with escapes. The rules of the options
/// accept no control characters, such as a line break.
fn quoted(value: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-./:@,+%".contains(c);
    if value.chars().all(is_bare) {
        return value.to_owned();
    }
    if !value.contains(['\'', '\\']) {
        return format!("'{value}'");
    }
    let mut text = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' | '$' => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
