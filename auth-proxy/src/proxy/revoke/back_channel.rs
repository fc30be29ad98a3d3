//! Logout tokens of the issuer, in forms (OpenID Connect Back-Channel Logout 1.0, section 2.5).

use std::borrow::Cow;

use axum::body::Body;
use http::StatusCode;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use super::super::read_body::read;
use super::revoke;
use crate::audit::RevokedBy;
use crate::error::{AuthError, Reason};
use crate::provider::Shared;

/// A logout token has 500 to 1500 bytes.
const MOST_BYTES: usize = 16 * 1024;

/// Revokes what a logout token says. The status is that of section 2.8.
///
/// # Errors
/// `revocation_kind_off`; `body_too_large`, `body_late`, `body_broken`; `logout_token_missing` to `logout_token_replayed`;
/// `keys_unavailable`; `revocation_not_stored`.
pub(super) async fn answer(shared: &Shared, parts: &Parts, body: Body) -> Result<StatusCode, AuthError> {
    if shared.back_channel.is_none() {
        return Err(AuthError::new(Reason::REVOCATION_KIND_OFF));
    }
    let body = read(shared, body, MOST_BYTES).await?;
    let token = token(&body).ok_or_else(|| AuthError::new(Reason::LOGOUT_TOKEN_MISSING))?;
    let now = shared.now();
    let (revoked, handling) = shared.logout(&token, now).await?;
    revoke(shared, parts, (&revoked, RevokedBy::BackChannel), now).await?;
    handling.keep();
    Ok(StatusCode::OK)
}

/// The one `logout_token` of a form. Other fields are ignored (section 2.5).
fn token(form: &[u8]) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    let fields = form.split('&').map(|field| field.split_once('=').unwrap_or((field, "")));
    let mut tokens = fields.filter(|(name, _)| decoded(name).is_some_and(|name| name == "logout_token"));
    let (Some((_, token)), None) = (tokens.next(), tokens.next()) else { return None };
    decoded(token).filter(|token| !token.is_empty())
}

/// A name or a value of a form. `None` if it is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_has_exactly_one_logout_token() {
        for (form, expected) in [
            ("logout_token=a.b.c", Some("a.b.c")),
            ("x=1&logout_token=a.b.c&logout_token_hint=2&", Some("a.b.c")),
            ("logout%5Ftoken=a%2Eb%2ec", Some("a.b.c")),
            ("logout_token=a+b%3D", Some("a b=")),
            ("", None),
            ("logout_token", None),
            ("logout_token=", None),
            ("Logout_Token=a", None),
            ("logout_token[]=a", None),
            ("logout_token=a&logout_token=a", None),
            ("logout_token=a&logout%5ftoken=b", None),
            ("logout_token=a&logout_token", None),
            ("logout_token=%ff", None),
            ("logout_token=a;logout_token=b", Some("a;logout_token=b")),
        ] {
            assert_eq!(token(form.as_bytes()).as_deref(), expected, "{form}");
        }
        assert_eq!(token(b"logout_token=\xff"), None);
    }
}
