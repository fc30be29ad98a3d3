//! The options of a store.

use std::fmt;
use std::time::Duration;

/// The options of a [`RedisStore`](crate::RedisStore).
///
/// | URL | server |
/// |---|---|
/// | `redis://[user:password@]host[:port][/db]` | one Redis |
/// | `rediss://..` | one Redis with TLS |
/// | `unix:///path/to/socket` | one Redis on this machine |
/// | `redis+sentinel://[user:password@]host:port,host:port/service[/db]` | the primary that the sentinels name |
/// | `redis+cluster://[user:password@]host:port,host:port` | a Redis Cluster |
///
/// `rediss+sentinel` and `rediss+cluster` use TLS for all connections.
///
/// ```
/// use auth_proxy_redis::Options;
/// use std::time::Duration;
///
/// let options = Options::new("rediss://app:secret@redis.internal:6379/0")
///     .prefix("shop")
///     .deadline(Duration::from_millis(100));
/// assert!(!format!("{options:?}").contains("secret"));
/// ```
#[derive(Clone)]
pub struct Options {
    pub(crate) url: String,
    pub(crate) prefix: String,
    pub(crate) deadline: Duration,
    pub(crate) ticket_for: Duration,
    pub(crate) grace: Duration,
    pub(crate) max_value: usize,
    pub(crate) root_certificates: Option<Vec<u8>>,
}

impl Options {
    /// Options for the server at this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "auth-proxy".to_owned(),
            deadline: Duration::from_millis(250),
            ticket_for: Duration::from_secs(60),
            grace: Duration::from_secs(5),
            max_value: 64 * 1024,
            root_certificates: None,
        }
    }

    /// The prefix of all keys and channels (default `auth-proxy`). Instances share sessions if their prefixes are equal.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a `get` or a `put` may take (default 250 ms).
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long a ticket is good (default 60 s): at least twice the longest time that a lookup takes.
    #[must_use]
    pub fn ticket_for(mut self, time: Duration) -> Self {
        self.ticket_for = time;
        self
    }

    /// How long after a new connection nothing is read or stored (default 5 s), as if there were no Redis.
    ///
    /// After an outage, instances come back one after the other, and each then tells what was ended there meanwhile. An
    /// instance that came back first must not use a session before the others told it. So this is at least the time that
    /// another instance may need to connect: its connection attempt (2 s) and the pause before it (1 s).
    #[must_use]
    pub fn grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }

    /// The largest value in bytes that is stored (default 64 KiB).
    #[must_use]
    pub fn max_value(mut self, bytes: usize) -> Self {
        self.max_value = bytes;
        self
    }

    /// Certificates in PEM that sign the certificate of the server, instead of those of the operating system.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }
}

/// Without the URL, which may contain a password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("prefix", &self.prefix)
            .field("deadline", &self.deadline)
            .field("ticket_for", &self.ticket_for)
            .field("grace", &self.grace)
            .field("max_value", &self.max_value)
            .finish_non_exhaustive()
    }
}
