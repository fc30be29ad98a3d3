//! [`ConfigError`]: why a proxy cannot be built.

use std::fmt;

/// Why a proxy cannot be built: every problem of the configuration at once.
///
/// Never contains a value from the environment or the builder. `Debug` writes the same as `Display`, so that
/// `fn main() -> Result<(), ConfigError>` prints a readable error.
///
/// ```
/// use auth_proxy::auth_proxy;
///
/// auth_proxy! {
///     pub struct Auth {
///         upstream: { base_url: env("AUTH_UPSTREAM_URL"), timeout: env("AUTH_TIMEOUT", optional) },
///     }
/// }
///
/// let error = Auth::builder().vars([("AUTH_TIMEOUT", "5")]).build().unwrap_err();
/// assert_eq!(error.problems().len(), 2);
/// assert_eq!(error.problems()[0].variable(), Some("AUTH_UPSTREAM_URL"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub(crate) name: &'static str,
    pub(crate) problems: Vec<ConfigProblem>,
}

impl ConfigError {
    /// An error with a single problem.
    pub(crate) fn of(name: &'static str, option: &str, message: String) -> Self {
        Self { name, problems: vec![ConfigProblem { option: option.to_owned(), variable: None, message }] }
    }

    /// The problems, in the order of the table of options.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "the configuration of `{}` has {count} {noun}:", self.name)?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

/// One problem of a configuration.
///
/// ```
/// use auth_proxy::auth_proxy;
///
/// auth_proxy! { pub struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } } }
///
/// let error = Auth::builder().vars([("AUTH_UPSTREAM_URL", "localhost")]).build().unwrap_err();
/// let problem = &error.problems()[0];
/// assert_eq!((problem.option(), problem.variable()), ("upstream.base_url", Some("AUTH_UPSTREAM_URL")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    pub(crate) option: String,
    pub(crate) variable: Option<&'static str>,
    pub(crate) message: String,
}

impl ConfigProblem {
    /// The full name of the option, such as `upstream.base_url`.
    #[must_use]
    pub fn option(&self) -> &str {
        &self.option
    }

    /// The environment variable that the option is read from, if any.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        self.variable
    }

    /// What is wrong and what to write instead.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.variable {
            Some(variable) => write!(f, "{variable} ({}): {}", self.option, self.message),
            None => write!(f, "{}: {}", self.option, self.message),
        }
    }
}
