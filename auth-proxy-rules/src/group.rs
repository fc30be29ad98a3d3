//! [`Group`]: the blocks of a configuration.

/// The block of a configuration that an option is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// At the top level.
    Top,
    /// In `upstream: { .. }`.
    Upstream,
    /// In `session: { .. }`.
    Session,
    /// In `cors: { .. }`.
    Cors,
    /// In `rewrite: { .. }`.
    Rewrite,
    /// In `jwks: { .. }`.
    Jwks,
    /// In `revocation: { .. }`.
    Revocation,
    /// In `sign_in_limit: { .. }`.
    SignInLimit,
}

impl Group {
    /// The blocks at the top level.
    pub const BLOCKS: [Self; 7] = [
        Self::Upstream,
        Self::Session,
        Self::Cors,
        Self::Rewrite,
        Self::Jwks,
        Self::Revocation,
        Self::SignInLimit,
    ];

    /// The block with this key.
    #[must_use]
    pub fn block(key: &str) -> Option<Self> {
        Self::BLOCKS.into_iter().find(|block| block.key() == key)
    }

    /// The key of the block, empty for the top level.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Top => "",
            Self::Upstream => "upstream",
            Self::Session => "session",
            Self::Cors => "cors",
            Self::Rewrite => "rewrite",
            Self::Jwks => "jwks",
            Self::Revocation => "revocation",
            Self::SignInLimit => "sign_in_limit",
        }
    }
}
