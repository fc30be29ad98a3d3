//! Session tokens: finding them in cookies and headers, deriving keys, decrypting and verifying.
//! Does no IO and knows nothing of the upstream.

mod base64url;
mod claims;
mod cookie_date;
mod cookies;
mod decoder;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod encrypt;
mod error;
mod extract;
mod json;
mod jwe;
mod jws;
mod keys;
mod pem;
mod set_cookie;
mod time;
mod upward;
mod verified;
mod verifier;

pub use self::claims::Claims;
pub(crate) use self::cookies::{Credential, read};
pub(crate) use self::decoder::Decoder;
pub(crate) use self::error::KeyError;
pub use self::extract::{RawToken, Token};
pub(crate) use self::set_cookie::{SetCookieKind, is_session_cookie};
pub(crate) use self::upward::auth_cookies;
pub(crate) use self::verified::{Verified, VerifiedTokens};
pub(crate) use self::verifier::Verifier;
