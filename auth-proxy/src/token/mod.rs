//! Session tokens: deriving keys, reading published keys, decrypting JWE, verifying JWS, and checking the registered
//! claims. Signed cookies, and the copy of a session in a second cookie.
//!
//! This module does no IO and knows nothing of the upstream. `cookie` finds the token in a request. No session is
//! issued here: `encrypt` and `cookie_cache/mint` exist for tests only. `signing` is for the services behind a verdict.
//!
//! Response times reveal nothing about a secret. aws-lc compares every tag and MAC in full and in constant time:
//!
//! - A256CBC-HS512: `verify_slices_are_equal`, before anything is decrypted. Padding is checked only under a valid tag.
//! - A256GCM: `LessSafeKey::open_in_place`.
//! - HS256, HS384 and HS512, and signed cookies: `hmac::verify`.
//! - The compact form of a cookie cache: `verify_slices_are_equal`.
//!
//! Signatures are verified with public keys, which are not secret. Ordinary comparisons are used for public data only:
//! names of cookies, members of headers, names of keys (thumbprints, which every token carries), and fingerprints of
//! whole tokens under a random key of this process (`fingerprint`), whose bytes a client cannot choose.
//!
//! Imports the rooms: `cookie`, `dialect`, `error`, `fingerprint`, `json`, `revocation`, `telemetry`.
//! Does without the crates: `axum`, `http`, `hyper`, `tokio`, `tower`.

mod base64url;
mod claims;
mod cookie_cache;
mod decoder;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod encrypt;
mod error;
mod event;
mod json;
mod jwe;
mod jwk;
mod jws;
mod key_set;
mod keys;
mod logout;
mod media_type;
mod pem;
mod public_key;
mod published;
mod registered;
mod secret_proof;
mod signed_cookie;
mod signing;
mod verified;
mod verifier;

pub use self::claims::Claims;
#[cfg(feature = "testing")]
pub(crate) use self::cookie_cache::mint as cookie_cache_mint;
pub(crate) use self::cookie_cache::{CachedPayload, CookieCache, NotUsable, PublicCookieCache};
pub(crate) use self::decoder::Decoder;
pub(crate) use self::error::KeyError;
#[cfg(feature = "testing")]
pub(crate) use self::jws::public_key;
pub(crate) use self::key_set::{KEY_SET_LIMIT, KeySet, KeySetError};
pub(crate) use self::logout::{Ended, LogoutToken};
#[cfg(feature = "testing")]
pub(crate) use self::public_key::PublicKey;
pub(crate) use self::published::{PublishedKeys, Refusal};
pub(crate) use self::registered::{Demands, TOLERANCE};
pub(crate) use self::secret_proof::{CopyMistake, SecretMatch, SecretProofs};
pub(crate) use self::signed_cookie::SignedCookies;
pub use self::signing::SigningKey;
pub(crate) use self::verified::{Names, Verified, VerifiedTokens};
pub(crate) use self::verifier::Verifier;
