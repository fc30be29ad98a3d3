//! [`Spec`]: the content of an `auth_proxy!` block as static data.

use auth_proxy_rules::OptionKey;

/// The content of an `auth_proxy!` block. The macro writes it.
#[derive(Debug)]
pub struct Spec {
    /// The name of the declared type.
    pub name: &'static str,
    /// The options that are set, each once.
    pub options: &'static [(OptionKey, Value)],
    /// The extra headers.
    pub headers: &'static [(&'static str, Value)],
    /// The secrets, newest first.
    pub secrets: &'static [Value],
    /// The secrets of the webhook, newest first.
    pub webhook_secrets: &'static [Value],
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// A literal in the block. The macro has checked it.
    Literal(&'static str),
    /// An environment variable, read and checked at start.
    Env {
        /// The name of the variable.
        name: &'static str,
        /// The value if the variable is unset or empty.
        default: Option<&'static str>,
        /// Whether the option may stay unset.
        optional: bool,
    },
}
