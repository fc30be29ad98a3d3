//! Errors. None of them contains a URL, a password, a key or a value.

use std::fmt;

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why a call of [`RedisStore`](crate::RedisStore) failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The link to Redis is down. The call did not wait for it.
    Down,
    /// Redis did not answer in time.
    Timeout,
    /// The value is larger than [`Options::max_value`](crate::Options::max_value) allows, or a note has not 1 to 64 bytes.
    TooLarge,
    /// Redis answered with an error of this kind, such as `READONLY`.
    Server(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down => f.write_str("the link to Redis is down"),
            Self::Timeout => f.write_str("Redis did not answer in time"),
            Self::TooLarge => f.write_str("the value does not have the size that may be stored"),
            Self::Server(kind) => write!(f, "Redis answered with an error: {kind}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// A URL, or another option, that cannot be used. The text says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidUrl(pub(crate) &'static str);

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidUrl {}

/// Why a link ended, as a short text for logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason(pub(crate) String);

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&RedisError> for Reason {
    fn from(error: &RedisError) -> Self {
        Self(kind_of(error))
    }
}

/// The kind of an error. The rest of its text may contain what the server or the resolver wrote, so it is left out.
pub(crate) fn kind_of(error: &RedisError) -> String {
    if error.is_timeout() {
        return "timeout".to_owned();
    }
    match error.kind() {
        ErrorKind::Io if error.is_connection_refusal() => "connection refused".to_owned(),
        ErrorKind::Io if error.is_connection_dropped() => "connection closed".to_owned(),
        ErrorKind::AuthenticationFailed => "authentication failed".to_owned(),
        kind => match error.code() {
            Some(code) if is_code(code) => code.to_owned(),
            _ => match kind {
                ErrorKind::Io => "input or output error".to_owned(),
                ErrorKind::RESP3NotSupported => "Redis 6 or newer is needed".to_owned(),
                ErrorKind::InvalidClientConfig => "wrong configuration".to_owned(),
                _ => "unexpected answer".to_owned(),
            },
        },
    }
}

/// An error of this crate, where one of Redis is expected.
pub(crate) fn failure(text: &'static str) -> RedisError {
    RedisError::from((ErrorKind::Client, text))
}

/// Whether this is an error code of Redis, such as `NOAUTH`.
fn is_code(code: &str) -> bool {
    code.len() <= 20 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Whether the server read the command, and answered with an error of its own or of an extension.
pub(crate) fn is_refusal(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}

/// Whether a script is unknown to the server, which forgets scripts at a restart or with `SCRIPT FLUSH`.
pub(crate) fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
