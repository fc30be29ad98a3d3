//! Session tokens: finding them in cookies and headers, deriving keys, decrypting and verifying.
//! Does no IO and knows nothing of the upstream.
//!
//! How long an answer takes tells nothing of a secret, by construction: every tag and MAC is compared whole and
//! in constant time by aws-lc. That is `verify_slices_are_equal` for A256CBC-HS512, before anything is
//! decrypted, so that no padding is ever looked at under a tag that does not hold; the opening of GCM for
//! A256GCM; `hmac::verify` for HS256 and its like. Signatures are verified with public
//! keys. What is compared in the ordinary way is public: names of cookies, members of headers, names of keys
//! (thumbprints, that is digests, which every token carries), and fingerprints and digests of whole tokens,
//! under a key of this process or of 256 bits, which nobody can steer byte by byte.

mod base64url;
mod claims;
mod decoder;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod encrypt;
mod error;
mod json;
mod jwe;
mod jws;
mod keys;
mod pem;
mod registered;
mod verified;
mod verifier;

pub use self::claims::Claims;
pub(crate) use self::decoder::Decoder;
pub(crate) use self::error::KeyError;
pub(crate) use self::registered::Demands;
pub(crate) use self::verified::{Verified, VerifiedTokens};
pub(crate) use self::verifier::Verifier;
