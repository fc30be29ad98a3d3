use auth_proxy_rules::OptionKey;

/// What an `auth_proxy!` block declares, as static data. Written by the macro.
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
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// The source code; proved by the macro.
    Literal(&'static str),
    /// An environment variable, read and proved at start.
    Env {
        /// Its name.
        name: &'static str,
        /// What stands in when it is not set or empty.
        default: Option<&'static str>,
        /// Whether the option may stay unset.
        optional: bool,
    },
}
