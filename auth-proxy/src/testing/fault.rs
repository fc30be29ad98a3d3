//! The ways in which the fake upstream can fail.

use std::time::Duration;

/// A way in which a [`FakeUpstream`](super::FakeUpstream) fails, on every route.
///
/// The fake still processes each request: it signs visitors in and out. Unless a variant says otherwise, the fault
/// damages the real response.
///
/// [`ALL`](Self::ALL) has one of each variant, to test an app against all of them:
///
/// ```
/// use auth_proxy::testing::{FakeUpstream, Fault};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let upstream = FakeUpstream::start().await?;
/// for fault in Fault::ALL {
///     upstream.set_fault(Some(*fault)).await?;
///     // What does the app answer now?
/// }
/// upstream.set_fault(None).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Connections are refused. The port stays reserved.
    Refused,
    /// The connection is reset (RST) after the request was read.
    ResetBeforeHead,
    /// The connection is closed (FIN) after the request was read.
    CloseBeforeHead,
    /// No byte is ever sent.
    HangBeforeHead,
    /// Half of the head is sent, then nothing.
    HangWithinHead,
    /// Interim responses (103, RFC 8297) without end, as fast as they are read.
    EndlessHints,
    /// Head and body arrive one byte at a time, with this pause between the bytes.
    Trickle(Duration),
    /// The head arrives at once, the body one byte at a time, with this pause between the bytes.
    TrickleBody(Duration),
    /// The last bytes of the body are never sent. The connection stays open.
    HangWithinBody,
    /// The last bytes of the body are missing, and the connection is reset.
    ResetWithinBody,
    /// The last bytes of the body are missing, and the connection is closed: fewer bytes than `Content-Length`.
    TruncatedBody,
    /// A chunked body ends without its last chunk, and the connection is closed.
    TruncatedChunks,
    /// `Content-Length` is half of the body's length.
    ContentLengthTooShort,
    /// `Content-Length` is no number.
    ContentLengthNotANumber,
    /// There are two `Content-Length` headers, which differ.
    ContentLengthTwice,
    /// 500, with the real headers and body.
    InternalError,
    /// 503 with `Retry-After: 7`, and the real headers and body.
    Overloaded,
    /// 429 with `X-Retry-After: 7` and without `Retry-After`, as of the rate limiter of Better Auth.
    RateLimited,
    /// The database of the upstream fails. Better Auth answers a lookup with 500 and `FAILED_TO_GET_SESSION`, other
    /// routes that need a session with 401, and a sign-in with 500. Auth.js with database sessions answers a lookup with
    /// `null` and without a session cookie. With tokens Auth.js needs no database, and nothing fails.
    DatabaseDown,
    /// 302 to the same URL.
    RedirectLoop,
    /// 200 with an HTML page.
    Html,
    /// 200 with a JSON string, as Robo answers an unknown route.
    JsonString,
    /// 200 with `{}`.
    EmptyObject,
    /// 200 with `[]`.
    EmptyArray,
    /// 200 with `null` and no `Set-Cookie`. Auth.js answers this when its database fails.
    Undecided,
    /// A session whose user is nested 100,000 objects deep.
    NestedJson,
    /// A session of 100 MB.
    HugeJson,
    /// A session whose user has a name that is not valid UTF-8.
    InvalidUtf8,
    /// `Content-Encoding: gzip` that was not requested: 130 kB that unpack to 20 MB.
    GzipBomb,
    /// 1,000 additional headers.
    ManyHeaders,
    /// An additional header of 64 KiB.
    HugeHeader,
    /// The response has more `Set-Cookie` lines: some that no browser accepts, and some whose cookie name resembles the
    /// session cookie's.
    MalformedCookies,
    /// HTTP/1.0: the end of the connection ends the body.
    Http10,
    /// The connection is closed after each response, without `Connection: close`.
    EarlyClose,
    /// Bytes that are not HTTP.
    Garbage,
    /// The response is delayed by this time.
    Delayed(Duration),
}

impl Fault {
    /// One of each variant.
    pub const ALL: &'static [Self] = &[
        Self::Refused,
        Self::ResetBeforeHead,
        Self::CloseBeforeHead,
        Self::HangBeforeHead,
        Self::HangWithinHead,
        Self::EndlessHints,
        Self::Trickle(Duration::from_secs(1)),
        Self::TrickleBody(Duration::from_secs(1)),
        Self::HangWithinBody,
        Self::ResetWithinBody,
        Self::TruncatedBody,
        Self::TruncatedChunks,
        Self::ContentLengthTooShort,
        Self::ContentLengthNotANumber,
        Self::ContentLengthTwice,
        Self::InternalError,
        Self::Overloaded,
        Self::RateLimited,
        Self::DatabaseDown,
        Self::RedirectLoop,
        Self::Html,
        Self::JsonString,
        Self::EmptyObject,
        Self::EmptyArray,
        Self::Undecided,
        Self::NestedJson,
        Self::HugeJson,
        Self::InvalidUtf8,
        Self::GzipBomb,
        Self::ManyHeaders,
        Self::HugeHeader,
        Self::MalformedCookies,
        Self::Http10,
        Self::EarlyClose,
        Self::Garbage,
        Self::Delayed(Duration::from_secs(3)),
    ];
}
