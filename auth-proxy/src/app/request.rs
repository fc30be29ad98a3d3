//! The head of a request to the app.

use auth_proxy_rules::Host;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, HOST, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};

use super::destination::App;
use crate::cookie::join_cookie_lines;
use crate::error::AuthError;
use crate::forwarded::{Addresses, drop_spoofable, strip_hop_by_hop};
use crate::proxy::{check_form, trusted_client};
use crate::verdict::{Identity, remove_identity_headers};

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The only protocol that a connection is switched to. With `h2c`, a client could send further requests through the
/// connection, past every rule.
pub(super) const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// Whether the client asks for a WebSocket (RFC 6455, section 4.1).
pub(super) fn wants_websocket(parts: &Parts) -> bool {
    let has_token = |name: &HeaderName, token: &str| {
        let mut lines = parts.headers.get_all(name).iter();
        lines.any(|line| {
            let mut tokens = line.to_str().unwrap_or_default().split(',');
            tokens.any(|found| found.trim().eq_ignore_ascii_case(token))
        })
    };
    let mut protocols = parts.headers.get_all(UPGRADE).iter();
    let only_websocket =
        protocols.next().is_some_and(|line| line.as_bytes().eq_ignore_ascii_case(b"websocket"))
            && protocols.next().is_none();
    parts.method == Method::GET
        && parts.version == Version::HTTP_11
        && only_websocket
        && has_token(&CONNECTION, "upgrade")
        && !parts.headers.contains_key(TRANSFER_ENCODING)
        && parts.headers.get(CONTENT_LENGTH).is_none_or(|length| length == "0")
}

/// The headers of the request to the app. `is_websocket`: whether it asks for a WebSocket.
///
/// # Errors
/// A 4xx for a request that is not forwarded, and `loop_detected`.
pub(super) fn headers(app: &App, parts: &mut Parts, is_websocket: bool) -> Result<HeaderMap, AuthError> {
    check_form(parts, METHODS)?;
    let client = trusted_client(parts, &app.shared)?;
    let identity = parts.extensions.remove::<Identity>();
    if !app.passes_session {
        drop_session(app, parts, identity.as_ref());
    }
    let mut headers = std::mem::take(&mut parts.headers);
    strip_hop_by_hop(&mut headers);
    // hyper has answered `Expect` already, and writes `Content-Length` as the body is.
    for name in [HOST, CONTENT_LENGTH, EXPECT, FORWARDED] {
        headers.remove(name);
    }
    drop_spoofable(&mut headers);
    join_cookie_lines(&mut headers);
    app.shared.upstream.add_via(&mut headers)?;
    let policy = if app.preserves_host { Host::Preserve } else { Host::Upstream };
    let forwarded_as = client.forwarded_as(&policy, app.shared.settings.public_url.as_ref());
    client.write(&mut headers, &forwarded_as, Addresses::All)?;
    // Last: the client can name any header in `Connection`, and such headers were removed above.
    match identity {
        Some(identity) => identity.write_headers(&mut headers),
        None => remove_identity_headers(&mut headers),
    }
    if is_websocket {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, WEBSOCKET);
    }
    Ok(headers)
}

/// Removes the session cookies, and the Bearer token of a visitor who was let through by it.
fn drop_session(app: &App, parts: &mut Parts, identity: Option<&Identity>) {
    let names = app.shared.names_of(Some(parts));
    let is_bearer = identity.is_some_and(|identity| !identity.is_guest())
        && app
            .shared
            .candidate(&parts.headers, names)
            .is_ok_and(|found| found.is_some_and(|found| found.is_bearer()));
    app.shared.drop_session_cookies(&mut parts.headers);
    if is_bearer {
        parts.headers.remove(http::header::AUTHORIZATION);
    }
}
