//! [`Shape`]: how the value of an option is written in an `auth_proxy!` block.

/// How the value of an option is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A string literal.
    Text,
    /// One of a set of bare words.
    Word(&'static [&'static str]),
    /// One of a set of bare words, or a string literal.
    WordOrText(&'static [&'static str]),
    /// A duration such as `5s`.
    Duration,
    /// A duration such as `5s`, or the bare word `off`.
    DurationOrOff,
    /// A duration such as `1h`, or the bare word `always`.
    DurationOrAlways,
    /// A size such as `1MiB`.
    Size,
    /// A whole number.
    Count,
    /// A whole number, or the bare word `off`.
    CountOrOff,
    /// `true` or `false`.
    Bool,
    /// A list of string literals. In a variable: one text with commas between the items.
    List,
    /// A list of names, as bare words or string literals. In a variable: one text with commas between the items.
    Names,
    /// `{ "name": "value" }`.
    Headers,
    /// `env("NAME")`, or a list of them.
    Secret,
    /// `redis(env("NAME"))`, or `redis("redis://host:port")`. In a variable: the address.
    Store,
    /// A Rust expression.
    Expression,
}
