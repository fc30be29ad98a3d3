use auth_proxy_rules::OptionKey;
use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Expr, LitStr, Type, Visibility};

/// A whole `auth_proxy!` block, as far as it was understood.
pub(super) struct Declaration {
    /// The path of the auth-proxy crate.
    pub(super) krate: TokenStream,
    pub(super) attrs: Vec<Attribute>,
    pub(super) vis: Visibility,
    pub(super) name: Ident,
    pub(super) user: Option<Type>,
    pub(super) claims: Option<Type>,
    pub(super) settings: Settings,
}

#[derive(Default)]
pub(super) struct Settings {
    /// Each option once, in the order of the source.
    pub(super) options: Vec<Setting>,
    pub(super) headers: Vec<Header>,
    pub(super) secrets: Vec<Env>,
    pub(super) fetch: Option<Expr>,
    /// The key of the `upstream` block, to point at when something in it is missing.
    pub(super) upstream: Option<Ident>,
    /// A whole block could not be read: what is missing may be in it.
    pub(super) unreadable: bool,
}

/// An option with one value.
pub(super) struct Setting {
    pub(super) option: OptionKey,
    pub(super) key: Ident,
    /// `None` when the value could not be read, which is reported already, or is kept elsewhere.
    pub(super) value: Option<Value>,
}

pub(super) struct Header {
    pub(super) name: LitStr,
    pub(super) value: Option<Value>,
}

pub(super) enum Value {
    /// The text that the rules prove, and the tokens that it stands in.
    Literal {
        text: String,
        tokens: TokenStream,
    },
    Env(Env),
}

/// `env("NAME")`, `env("NAME", default = "..")` or `env("NAME", optional)`.
pub(super) struct Env {
    pub(super) name: LitStr,
    pub(super) default: Option<LitStr>,
    pub(super) optional: bool,
    /// All of it, to point at.
    pub(super) tokens: TokenStream,
}

impl Value {
    pub(super) fn tokens(&self) -> &TokenStream {
        match self {
            Self::Literal { tokens, .. } => tokens,
            Self::Env(env) => &env.tokens,
        }
    }
}
