//! Parses the protected header of a JWE: the encryption and the key that it names.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::token::error::TokenError;
use crate::token::json;

/// The longest encoded protected header that is read, in bytes. The header of Auth.js has 174.
const HEADER_LIMIT: usize = 1024;

/// The content encryptions of Auth.js (RFC 7518, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enc {
    CbcHmac,
    Gcm,
}

impl Enc {
    const ALL: [Self; 2] = [Self::CbcHmac, Self::Gcm];

    /// The value of `enc` in a header.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CbcHmac => "A256CBC-HS512",
            Self::Gcm => "A256GCM",
        }
    }
}

/// The protected header. Members that change how a token is read (`zip`, `crit`, `b64`) are refused if present. Others,
/// such as `typ` and `cty`, are ignored.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow)]
    enc: Cow<'a, str>,
    /// A string if present. `null` is refused: it is not the same as no `kid`.
    #[serde(default, deserialize_with = "json::some")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "json::present")]
    zip: bool,
    #[serde(default, deserialize_with = "json::present")]
    crit: bool,
    #[serde(default, deserialize_with = "json::present")]
    b64: bool,
}

/// The encryption and the `kid` of an encoded protected header.
///
/// # Errors
/// `Malformed`, if the text is not a header. `Unsupported`, if the header has another algorithm than `dir`, another
/// encryption than the two of [`Enc`], or a member that changes how a token is read.
pub(super) fn read_header(encoded: &str) -> Result<(Enc, Option<String>), TokenError> {
    if encoded.len() > HEADER_LIMIT {
        return Err(TokenError::Malformed);
    }
    let text = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| TokenError::Malformed)?;
    let header: Header<'_> = json::object(utf8(&text)?)?;
    if header.alg != "dir" || header.zip || header.crit || header.b64 {
        return Err(TokenError::Unsupported);
    }
    let enc = Enc::ALL.into_iter().find(|enc| enc.name() == header.enc);
    Ok((enc.ok_or(TokenError::Unsupported)?, header.kid))
}

fn utf8(text: &[u8]) -> Result<&str, TokenError> {
    std::str::from_utf8(text).map_err(|_| TokenError::Malformed)
}
