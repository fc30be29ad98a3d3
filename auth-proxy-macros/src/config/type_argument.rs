//! One type argument of a declaration: what it is for, and what is wrong with it.

use auth_proxy_rules::nearest;
use proc_macro2::{Ident, TokenTree};

use crate::misspelt::Misspelt;
use crate::tokens::{self, is_punct};

/// What a type is for.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    User,
    Claims,
}

impl Slot {
    /// The slot with a name like this one.
    fn similar(name: &str) -> Option<Self> {
        Self::named(nearest(name, ["user", "claims"])?)
    }

    /// The slot with this name, in either case.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "User" | "user" => Some(Self::User),
            "Claims" | "claims" => Some(Self::Claims),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Claims => "Claims",
        }
    }
}

/// Traits that are written as bounds. Another name after `User:` is the type itself.
const TRAITS: [&str; 9] = [
    "Clone",
    "Debug",
    "Default",
    "Deserialize",
    "DeserializeOwned",
    "PartialEq",
    "Send",
    "Serialize",
    "Sync",
];

/// One type argument, as it is written.
pub(super) enum Argument<'t> {
    /// `User = ..`
    User(&'t Ident, &'t [TokenTree]),
    /// `Claims = ..`
    Claims(&'t Ident, &'t [TokenTree]),
    /// `Name = ..`
    Unknown(&'t Ident, &'t [TokenTree]),
    /// `'a`
    Lifetime,
    /// `const N: ..`
    Const,
    /// `User: ..`
    Bounds(&'t Ident, &'t [TokenTree]),
    /// `User`
    WithoutType(&'t Ident),
    /// A type without a name.
    WithoutName,
}

impl<'t> Argument<'t> {
    pub(super) fn of(tokens: &'t [TokenTree]) -> Self {
        match tokens {
            [TokenTree::Ident(name), equals, ty @ ..] if is_punct(Some(equals), '=') => {
                match name.to_string().as_str() {
                    "User" => Self::User(name, ty),
                    "Claims" => Self::Claims(name, ty),
                    _ => Self::Unknown(name, ty),
                }
            }
            [apostrophe, ..] if is_punct(Some(apostrophe), '\'') => Self::Lifetime,
            [TokenTree::Ident(word), ..] if word == "const" => Self::Const,
            [TokenTree::Ident(name), colon, rest @ ..]
                if (name == "User" || name == "Claims")
                    && is_punct(Some(colon), ':')
                    && !is_punct(rest.first(), ':') =>
            {
                Self::Bounds(name, rest)
            }
            [TokenTree::Ident(name)] if Slot::similar(&name.to_string()).is_some() => Self::WithoutType(name),
            _ => Self::WithoutName,
        }
    }

    /// The message for an argument that is not `User = ..` or `Claims = ..`. `free` is the first type not yet set.
    pub(super) fn mistake(&self, tokens: &[TokenTree], free: Slot) -> Option<String> {
        Some(match self {
            Self::User(..) | Self::Claims(..) => return None,
            Self::Unknown(name, _) => match Slot::similar(&name.to_string()) {
                Some(slot) => format!("unknown type argument `{name}`, did you mean `{}`?", slot.name()),
                None => format!("unknown type argument `{name}`, expected `User` or `Claims`"),
            },
            Self::Lifetime => "a proxy has no lifetimes: write `User = ..` and `Claims = ..` only".to_owned(),
            Self::Const => {
                "a proxy has no const parameters: write `User = ..` and `Claims = ..` only".to_owned()
            }
            Self::Bounds(name, bounds) => {
                let ty = match self.meant(tokens, free) {
                    Some(_) => type_text(bounds),
                    None => format!("App{name}"),
                };
                format!("`{name}` is set to a type and has no bounds: write `{name} = {ty}`")
            }
            Self::WithoutType(name) => format!("`{name}` needs a type: write `{name} = App{name}`"),
            Self::WithoutName => {
                format!("name what the type is for: write `{} = {}`", free.name(), type_text(tokens))
            }
        })
    }

    /// The misspelt name of an unknown argument.
    pub(super) fn misspelt(&self) -> Option<Misspelt> {
        let Self::Unknown(name, _) = self else { return None };
        let meant = Slot::similar(&name.to_string())?.name();
        Misspelt::new(name, meant, &[Slot::User.name(), Slot::Claims.name()], "TypeArguments")
    }

    /// The type that a mistaken argument most likely sets.
    pub(super) fn meant(&self, tokens: &'t [TokenTree], free: Slot) -> Option<(Slot, &'t [TokenTree])> {
        match self {
            Self::Unknown(name, ty) => Some((Slot::similar(&name.to_string())?, ty)),
            Self::Bounds(name, ty) => {
                let is_trait = ty.iter().any(|token| match token {
                    TokenTree::Ident(word) => TRAITS.iter().any(|name| word == name),
                    token => is_punct(Some(token), '+'),
                });
                (!is_trait).then_some((Slot::named(&name.to_string())?, ty))
            }
            Self::WithoutName => Some((free, tokens)),
            _ => None,
        }
    }
}

/// The type as it is usually written.
pub(super) fn type_text(ty: &[TokenTree]) -> String {
    tokens::stream(ty).to_string().replace(" :: ", "::").replace(" < ", "<").replace(" >", ">")
}
