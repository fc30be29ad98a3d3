use std::time::Duration;

/// How a [`FakeUpstream`](super::FakeUpstream) misbehaves, on every route.
///
/// What arrives whole and in order is the real answer of the fake wherever a kind does not say otherwise:
/// sessions are told, visitors signed in and out, though hardly anybody gets to know.
///
/// [`ALL`](Self::ALL) has one of each kind, to test an app against every one of them:
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
    /// Nothing listens on the port, which is kept meanwhile.
    Refused,
    /// The connection is reset (RST) once the request was read.
    ResetBeforeHead,
    /// The connection is closed (FIN) once the request was read.
    CloseBeforeHead,
    /// Never a word.
    HangBeforeHead,
    /// Half of a head, and never another word.
    HangWithinHead,
    /// One interim response (103, RFC 8297) after the other, as fast as they are taken.
    EndlessHints,
    /// The whole answer, head included, a byte at a time with this pause between them.
    Trickle(Duration),
    /// The head at once, and the body a byte at a time with this pause between them.
    TrickleBody(Duration),
    /// A body that lacks its last bytes, which never come.
    HangWithinBody,
    /// A body that lacks its last bytes, and a reset.
    ResetWithinBody,
    /// A body that lacks its last bytes: less than `Content-Length` says, then closed.
    TruncatedBody,
    /// A chunked body without its last chunk, then closed.
    TruncatedChunks,
    /// `Content-Length` says half of what comes.
    ContentLengthTooShort,
    /// `Content-Length` is no number.
    ContentLengthNotANumber,
    /// Two of `Content-Length`, which differ.
    ContentLengthTwice,
    /// 500, with the real headers and body.
    InternalError,
    /// 503 with `Retry-After: 7`, and the real headers and body.
    Overloaded,
    /// 302 to the same URL.
    RedirectLoop,
    /// 200 with a page.
    Html,
    /// 200 with a JSON string, as Robo says that there is no such route.
    JsonString,
    /// 200 with `{}`.
    EmptyObject,
    /// 200 with `[]`.
    EmptyArray,
    /// 200 with `null` and not a word about the cookies: so Auth.js answers when its database fails.
    Undecided,
    /// A session whose user is 100,000 objects deep.
    NestedJson,
    /// A session of 100 MB.
    HugeJson,
    /// A session whose user has a name that is not UTF-8.
    InvalidUtf8,
    /// `Content-Encoding: gzip`, which nobody asked for: 130 kB that become 20 MB.
    GzipBomb,
    /// 1,000 headers more.
    ManyHeaders,
    /// A header of 64 KiB more.
    HugeHeader,
    /// Lines of `Set-Cookie` more that no browser makes sense of, or that mean other cookies than they
    /// seem to.
    MalformedCookies,
    /// HTTP/1.0: the body ends where the connection does.
    Http10,
    /// The connection is closed after each answer, which does not say so.
    EarlyClose,
    /// Bytes that are no HTTP.
    Garbage,
    /// The answer comes this much later.
    Delayed(Duration),
}

impl Fault {
    /// One of each kind.
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
