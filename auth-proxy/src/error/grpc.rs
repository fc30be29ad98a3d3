//! The status of an error in gRPC (<https://grpc.github.io/grpc/core/md_doc_statuscodes.html>).

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{AuthError, Outcome};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// What `grpc-message` escapes (gRPC over HTTP2, `Status-Message`): all but visible ASCII and the space, and `%`.
const MESSAGE: &AsciiSet = &CONTROLS.add(b'%');

/// The codes that occur.
const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNAVAILABLE: i32 = 14;
const UNAUTHENTICATED: i32 = 16;

impl AuthError {
    /// The status code of gRPC: 16 (`UNAUTHENTICATED`) without a valid session, and where a new sign-in helps; 7
    /// (`PERMISSION_DENIED`) if a rule refused the visitor; 14 (`UNAVAILABLE`) in an outage.
    ///
    /// The layer of [`grpc`](crate::layers::RequireLayer::grpc) answers with it. In a handler of tonic:
    ///
    /// ```text
    /// Status::new(Code::from_i32(error.grpc_code()), error.to_string())
    /// ```
    #[must_use]
    pub fn grpc_code(&self) -> i32 {
        match (self.outcome(), self.status().as_u16()) {
            (Outcome::Unavailable, _) => UNAVAILABLE,
            (_, 401) => UNAUTHENTICATED,
            (_, 403) => PERMISSION_DENIED,
            (_, 429) => RESOURCE_EXHAUSTED,
            _ => INVALID_ARGUMENT,
        }
    }

    /// The response of a gRPC server: trailers only. Its message has the error code, and its extensions the `AuthError`.
    pub(crate) fn into_grpc<B: Default>(self) -> Response<B> {
        self.log();
        let mut response = Response::new(B::default());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(GRPC_STATUS, self.grpc_code().into());
        headers.extend(message(&self.to_string()).map(|message| (GRPC_MESSAGE, message)));
        response.extensions_mut().insert(self);
        response
    }
}

/// A text as a `grpc-message`.
fn message(text: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(utf8_percent_encode(text, MESSAGE).to_string()).ok()
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode;

    use super::*;

    #[test]
    fn message_is_visible_ascii_and_decodes_to_the_text() {
        for (text, expected) in [
            ("The session has expired. (token_expired)", "The session has expired. (token_expired)"),
            ("100%", "100%25"),
            ("Zoë 🦀", "Zo%C3%AB %F0%9F%A6%80"),
            ("a\r\nb\u{7f}", "a%0D%0Ab%7F"),
        ] {
            let message = message(text).unwrap();
            assert_eq!(message, expected);
            assert_eq!(percent_decode(message.as_bytes()).decode_utf8().unwrap(), text);
        }
    }
}
