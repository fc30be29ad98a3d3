//! The names and constants of Better Auth's cookie cache (`docs/better-auth.md#cookie-cache`).

use crate::dialect::token_key::{CookieCacheMarks, TokenKeySource};

/// The key of the form `jwe`.
pub(in crate::dialect) fn token_key() -> TokenKeySource {
    TokenKeySource {
        salt: "better-auth-session".to_owned(),
        info: "BetterAuth.js Generated Encryption Key".to_owned(),
    }
}

/// What each cookie cache contains.
pub(in crate::dialect) fn marks() -> CookieCacheMarks {
    CookieCacheMarks {
        version: "1",
        typ: "better-auth.session-cache+jwt",
        audience: "better-auth:session-cache",
    }
}
