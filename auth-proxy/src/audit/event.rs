//! The events, and their JSON.

use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::error::Outcome;

/// An event for an audit log: a sign-in, a refusal, an outage.
///
/// It has no token, cookie or secret, and no name or mail address of a user. Serialized, it is one flat object without the
/// fields that are unknown; [`guide::audit`](crate::guide::audit) lists them:
///
/// ```text
/// {"at":"2026-11-27T18:08:32.123Z","event":"signed_in","proxy":"Auth","by":"form","subject":"42","session":"5f0c..","client":"203.0.113.7"}
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// When it happened.
    pub at: SystemTime,
    /// The name of the declared type, such as `Auth`.
    pub proxy: &'static str,
    /// The user: `sub` of a token, or the `id` of the session's user. `None` if that is not known without a request or a
    /// decryption that only the event would need.
    pub subject: Option<String>,
    /// A hash of the session token, for the events of one session. For a refused request it is that of the token that was
    /// sent, which may be forged.
    pub session: Option<SessionHash>,
    /// The address of the client: that of the peer, or the one that a proxy in `trusted_proxies` names. `None` without
    /// `into_make_service_with_connect_info`, and where no request is known.
    pub client: Option<IpAddr>,
}

/// What happened.
///
/// ```
/// use auth_proxy::audit::EventKind;
///
/// fn is_urgent(kind: &EventKind) -> bool {
///     matches!(kind, EventKind::CircuitOpened | EventKind::StoreLost { .. } | EventKind::Dropped { .. })
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// The upstream gave a browser another session than before.
    #[non_exhaustive]
    SignedIn {
        /// How the visitor signed in.
        by: SignedInBy,
    },
    /// The upstream ended the session of a browser that sent a session token. Anyone can send a forged token with a sign-out.
    SignedOut,
    /// `#[require_session]`, `RequireSession`, a layer, [`authorize`](crate::Proxy::authorize) or a
    /// [verdict](crate::Proxy::verdict) refused a request. An outage is no refusal.
    #[non_exhaustive]
    Refused {
        /// What is wrong with the request.
        outcome: Outcome,
        /// The [code](crate::AuthError::code) of the error.
        code: &'static str,
    },
    /// [`cross_origin_protection`](crate::Proxy::cross_origin_protection), or
    /// [`refuse_cross_origin`](crate::verdict::Verdict::refuse_cross_origin) of a verdict, refused a request.
    CrossOriginRefused,
    /// The upstream revoked tokens with a message to `_revoke`.
    #[non_exhaustive]
    Revoked {
        /// What the message names.
        what: RevokedWhat,
        /// Which kind of message it was.
        by: RevokedBy,
        /// Whether the other instances know of it. If they may not, the sender was told to send it again.
        is_stored: bool,
    },
    /// A message to `_revoke` was refused: it is not signed, or not valid.
    #[non_exhaustive]
    RevocationRefused {
        /// The [code](crate::AuthError::code) of the error.
        code: &'static str,
    },
    /// A session older than `session.cache` was used, because the upstream is unavailable (`session.stale_if_error`).
    StaleSessionUsed,
    /// The upstream failed for every request, and is not asked any more (`upstream.circuit_breaker`).
    CircuitOpened,
    /// The upstream answers again.
    CircuitClosed,
    /// A call to the store that instances share failed, and the call before it, if any, had worked.
    #[non_exhaustive]
    StoreLost {
        /// `not_connected`, `timeout` or `failed`.
        error: &'static str,
    },
    /// A call to the store worked, after one that failed.
    StoreBack,
    /// An attempt to sign in was refused, because there were too many (`sign_in_limit`).
    #[non_exhaustive]
    SignInLimited {
        /// What the attempts have in common.
        by: LimitedBy,
    },
    /// The observer was too slow, so events are missing here.
    #[non_exhaustive]
    Dropped {
        /// How many events are missing.
        count: u64,
    },
}

/// How a visitor signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedInBy {
    /// The visitor posted something, such as a password.
    Form,
    /// A provider or a mail led to a callback.
    Callback,
    /// No sign-in: the browser got another session of its visitor, or the session of a user whom an admin impersonates.
    Switched,
}

/// What a message to `_revoke` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokedWhat {
    /// One token.
    Token,
    /// All tokens of a session.
    Session,
    /// All tokens of a user up to a time.
    Subject,
}

/// Which kind of message revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokedBy {
    /// A message signed with `revocation.webhook_secret`.
    Webhook,
    /// A logout token (`revocation.back_channel`).
    BackChannel,
}

/// What the attempts of `sign_in_limit` have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitedBy {
    /// The address of the client: `per_ip`.
    Address,
    /// The account that they try: `per_account`.
    Account,
}

impl EventKind {
    /// The stable name, such as `signed_in`.
    ///
    /// ```
    /// assert_eq!(auth_proxy::audit::EventKind::StoreBack.name(), "store_back");
    /// ```
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::SignedIn { .. } => "signed_in",
            Self::SignedOut => "signed_out",
            Self::Refused { .. } => "refused",
            Self::CrossOriginRefused => "cross_origin_refused",
            Self::Revoked { .. } => "revoked",
            Self::RevocationRefused { .. } => "revocation_refused",
            Self::StaleSessionUsed => "stale_session_used",
            Self::CircuitOpened => "circuit_opened",
            Self::CircuitClosed => "circuit_closed",
            Self::StoreLost { .. } => "store_lost",
            Self::StoreBack => "store_back",
            Self::SignInLimited { .. } => "sign_in_limited",
            Self::Dropped { .. } => "dropped",
        }
    }

    /// Whether each request of a client can cause such an event, so that a client can flood the observer with it.
    pub(super) fn any_client_can_cause_it(&self) -> bool {
        matches!(
            self,
            Self::SignedIn { by: SignedInBy::Switched }
                | Self::SignedOut
                | Self::Refused { .. }
                | Self::CrossOriginRefused
                | Self::RevocationRefused { .. }
                | Self::StaleSessionUsed
                | Self::SignInLimited { .. }
        )
    }
}

impl SignedInBy {
    /// The name in events and metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Callback => "callback",
            Self::Switched => "switched",
        }
    }
}

impl RevokedWhat {
    /// The name in logs, events and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Session => "session",
            Self::Subject => "subject",
        }
    }
}

impl RevokedBy {
    fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::BackChannel => "back_channel",
        }
    }
}

impl LimitedBy {
    fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Account => "account",
        }
    }
}

/// A hash of a session token. It is the same at each instance. It cannot be used to sign in.
///
/// Two tokens that the upstream renewed from one another have different hashes. `Display` writes 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionHash(u128);

impl SessionHash {
    pub(crate) fn new(hash: u128) -> Self {
        Self(hash)
    }
}

impl fmt::Display for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &humantime::format_rfc3339_millis(self.at).to_string())?;
        map.serialize_entry("event", self.kind.name())?;
        map.serialize_entry("proxy", self.proxy)?;
        match &self.kind {
            EventKind::SignedIn { by } => map.serialize_entry("by", by.name())?,
            EventKind::Refused { outcome, code } => {
                map.serialize_entry("outcome", outcome.name())?;
                map.serialize_entry("code", code)?;
            }
            EventKind::Revoked { what, by, is_stored } => {
                map.serialize_entry("what", what.name())?;
                map.serialize_entry("by", by.name())?;
                map.serialize_entry("stored", is_stored)?;
            }
            EventKind::RevocationRefused { code } => map.serialize_entry("code", code)?,
            EventKind::StoreLost { error } => map.serialize_entry("error", error)?,
            EventKind::SignInLimited { by } => map.serialize_entry("by", by.name())?,
            EventKind::Dropped { count } => map.serialize_entry("count", count)?,
            EventKind::SignedOut
            | EventKind::CrossOriginRefused
            | EventKind::StaleSessionUsed
            | EventKind::CircuitOpened
            | EventKind::CircuitClosed
            | EventKind::StoreBack => {}
        }
        if let Some(subject) = &self.subject {
            map.serialize_entry("subject", subject)?;
        }
        if let Some(session) = &self.session {
            map.serialize_entry("session", &session.to_string())?;
        }
        if let Some(client) = &self.client {
            map.serialize_entry("client", client)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn json_is_flat_and_without_unknown_fields() {
        let event = Event {
            kind: EventKind::Refused { outcome: Outcome::Invalid, code: "token_expired" },
            at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_500),
            proxy: "Auth",
            subject: Some("a\"b".to_owned()),
            session: Some(SessionHash::new(0xff)),
            client: Some("2001:db8::1".parse().unwrap()),
        };
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            "{\"at\":\"1970-01-01T00:00:01.500Z\",\"event\":\"refused\",\"proxy\":\"Auth\",\"outcome\":\"invalid\",\
             \"code\":\"token_expired\",\"subject\":\"a\\\"b\",\"session\":\"000000000000000000000000000000ff\",\
             \"client\":\"2001:db8::1\"}"
        );
        let event = Event { kind: EventKind::StoreBack, subject: None, session: None, client: None, ..event };
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"at":"1970-01-01T00:00:01.500Z","event":"store_back","proxy":"Auth"}"#
        );
    }
}
