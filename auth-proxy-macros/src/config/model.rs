//! The data that the phases of `auth_proxy!` pass on: a declaration, as far as it could be read.

use auth_proxy_rules::OptionKey;
use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Expr, LitStr, Token, Type, Visibility};

/// An `auth_proxy!` declaration.
pub(super) struct Declaration {
    /// The path of the auth-proxy crate.
    pub(super) krate: TokenStream,
    pub(super) attrs: Vec<Attribute>,
    pub(super) vis: Visibility,
    /// The word `struct`.
    pub(super) keyword: Token![struct],
    pub(super) name: Ident,
    pub(super) user: Option<Type>,
    pub(super) claims: Option<Type>,
    pub(super) block: Block,
}

/// The options of a declaration.
#[derive(Default)]
pub(super) struct Block {
    /// Each option once, in the order of the source.
    pub(super) options: Vec<Entry>,
    pub(super) headers: Vec<Header>,
    pub(super) secrets: Vec<Env>,
    pub(super) webhook_secrets: Vec<Env>,
    pub(super) fetch: Option<Expr>,
    /// The key of the `upstream` block, to point at when something in it is missing.
    pub(super) upstream: Option<Ident>,
    /// Options that stand in the wrong place or under another name. They are reported, and not as missing too.
    pub(super) misplaced: Vec<OptionKey>,
    /// Whether a part could not be read. Required options may be in it, so none is reported as missing.
    pub(super) is_unreadable: bool,
}

/// An option that is set.
pub(super) struct Entry {
    pub(super) option: OptionKey,
    pub(super) key: Ident,
    /// `None` for a value that could not be read, which is reported already, and for secrets.
    pub(super) value: Option<Value>,
}

/// An extra header.
pub(super) struct Header {
    pub(super) name: LitStr,
    pub(super) value: Option<Value>,
}

/// The value of an option or a header.
pub(super) enum Value {
    /// The text that the rules check, and the tokens to point at.
    Literal {
        text: String,
        tokens: TokenStream,
        /// The items of a list.
        items: Vec<Item>,
    },
    Env(Env),
}

/// An item of a list.
pub(super) struct Item {
    pub(super) text: String,
    pub(super) tokens: TokenStream,
}

/// `env("NAME")`, `env("NAME", default = "..")` or `env("NAME", optional)`.
pub(super) struct Env {
    pub(super) name: LitStr,
    pub(super) default: Option<LitStr>,
    pub(super) optional: bool,
    /// The word, to point at.
    pub(super) optional_word: Option<Ident>,
    /// The whole `env(..)`, to point at.
    pub(super) tokens: TokenStream,
}

impl Value {
    /// The items of a list that is written as a literal.
    pub(super) fn items(&self) -> &[Item] {
        match self {
            Self::Literal { items, .. } => items,
            Self::Env(_) => &[],
        }
    }

    pub(super) fn tokens(&self) -> &TokenStream {
        match self {
            Self::Literal { tokens, .. } => tokens,
            Self::Env(env) => &env.tokens,
        }
    }
}
