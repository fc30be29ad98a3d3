//! Finds the key of a session in memory by the fingerprint of what was sent, so that no hash of the token is computed.

use std::hash::BuildHasherDefault;

use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use crate::fingerprint::{Fingerprint, IdentityHasher};
use crate::session::key::SessionKey;

/// The most keys. A place takes more than the 48 bytes of a fingerprint and a key, and saves no more than two hashes. Places
/// for a million sessions would take more than 48 MB.
const MAX_KNOWN: usize = 16_384;

/// The keys of sessions by fingerprint: those that were found in memory by their key.
///
/// A key follows from what has the fingerprint and never changes, so no entry is ever wrong, and whether the session may be
/// used is decided as without it. A lost entry costs two hashes. A token that has no session in memory makes no entry, so a
/// flood of invalid tokens removes none.
pub(super) struct Known(Cache<Fingerprint, SessionKey, UnitWeighter, BuildHasherDefault<IdentityHasher>>);

impl Known {
    /// For a memory of this many sessions.
    pub(super) fn new(entries: usize) -> Self {
        let entries = entries.min(MAX_KNOWN);
        let capacity = u64::try_from(entries).unwrap_or(u64::MAX);
        let hasher = BuildHasherDefault::default();
        Self(Cache::with(entries, capacity, UnitWeighter, hasher, DefaultLifecycle::default()))
    }

    pub(super) fn get(&self, fingerprint: Fingerprint) -> Option<SessionKey> {
        self.0.get(&fingerprint)
    }

    /// Notes that the session of this key was found in memory.
    pub(super) fn note(&self, fingerprint: Fingerprint, key: SessionKey) {
        self.0.insert(fingerprint, key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use auth_proxy_rules::{Draft, OptionKey};
    use http::HeaderMap;
    use serde_json::{Map, json};
    use tokio::time::Instant;

    use super::{Known, MAX_KNOWN};
    use crate::audit::Audit;
    use crate::dialect::RawSession;
    use crate::error::AuthError;
    use crate::fingerprint::FingerprintKey;
    use crate::forwarded::ForwardedAs;
    use crate::session::answer::{Answer, Found, LookedUp, Source};
    use crate::session::cache::Sessions;
    use crate::session::cached::CachedSession;
    use crate::session::family::End;
    use crate::session::key::{Keys, Sent, SessionKey};

    struct Proxy {
        keys: Arc<Keys>,
        sessions: Arc<Sessions>,
    }

    impl Proxy {
        fn new() -> Self {
            let mut draft = Draft::default();
            for (option, text) in [
                (OptionKey::BaseUrl, "http://auth"),
                (OptionKey::Cache, "1h"),
                (OptionKey::CacheEntries, "8"),
            ] {
                draft.set(option, text).unwrap();
            }
            let settings = draft.resolve().unwrap();
            let keys = Arc::new(Keys::new(&settings, &HeaderMap::new()).unwrap());
            let sessions = Arc::new(Sessions::new(&settings, Arc::clone(&keys), None, Audit::default()));
            Self { keys, sessions }
        }

        /// The answer for a token. The upstream would give `answer`.
        async fn find(&self, sent: &Sent<'_>, answer: Answer) -> Found {
            let lookup = || {
                Ok(|_| async { Ok::<_, AuthError>(LookedUp { answer, cookies: Arc::new([]), next: None }) })
            };
            let deadline = Instant::now() + Duration::from_secs(5);
            self.sessions.find(self.keys.token(sent), deadline, lookup).await.unwrap()
        }

        fn known(&self, sent: &Sent<'_>) -> Option<Found> {
            self.sessions.known(self.keys.fingerprint(sent)?)
        }
    }

    fn sent(token: &str) -> Sent<'_> {
        let forwarded = ForwardedAs { host: None, forwarded_host: None, scheme: "https" };
        Sent { token, companions: ["", ""], names: [Some("s"), None], forwarded }
    }

    fn session() -> Answer {
        let user = json!({ "name": "Ada" }).as_object().unwrap().clone();
        let raw = RawSession { user, expires: None, extra: Map::new(), needs_refresh: false };
        Answer::Session(CachedSession::new(raw, 100))
    }

    /// Looks a token up, and finds it in memory once by its key.
    async fn noted() -> Proxy {
        let proxy = Proxy::new();
        assert!(proxy.known(&sent("a.b.c")).is_none());
        proxy.find(&sent("a.b.c"), session()).await;
        assert!(proxy.known(&sent("a.b.c")).is_none(), "the check of its form is not skipped before");
        assert!(matches!(proxy.find(&sent("a.b.c"), Answer::SignedOut).await.source, Source::Memory));
        assert!(proxy.known(&sent("a.b.c")).is_some());
        proxy
    }

    #[tokio::test]
    async fn session_is_known_only_by_what_was_looked_up() {
        let proxy = noted().await;
        for other in [
            sent("a.b.d"),
            Sent { companions: ["", "x=1"], ..sent("a.b.c") },
            Sent { names: [Some("t"), None], ..sent("a.b.c") },
            Sent { forwarded: ForwardedAs { host: Some("b"), ..sent("").forwarded }, ..sent("a.b.c") },
            Sent { forwarded: ForwardedAs { scheme: "http", ..sent("").forwarded }, ..sent("a.b.c") },
        ] {
            assert!(proxy.known(&other).is_none());
        }
    }

    /// The signature and the spare bits of a token have several spellings. The session must end by each of them.
    #[tokio::test]
    async fn sign_out_by_another_spelling_ends_a_known_session() {
        for spelling in ["a.b.c", "a.b.other", "a.b=.c"] {
            let proxy = noted().await;
            drop(proxy.sessions.end(&[proxy.keys.session(spelling)], End::Requested));
            assert!(proxy.known(&sent("a.b.c")).is_none(), "{spelling}");
            proxy.find(&sent("a.b.c"), Answer::SignedOut).await;
            assert!(proxy.known(&sent("a.b.c")).is_none(), "{spelling}");
        }
        let proxy = noted().await;
        drop(proxy.sessions.end(&[proxy.keys.session("a.x.c")], End::Requested));
        assert!(proxy.known(&sent("a.b.c")).is_some(), "another session");
    }

    /// The upstream forgot the session of another spelling, or of another host.
    #[tokio::test]
    async fn known_session_is_forgotten_with_that_of_another_spelling() {
        let proxy = noted().await;
        proxy.find(&sent("a.b.other"), Answer::Refused).await;
        assert!(proxy.known(&sent("a.b.c")).is_none());
    }

    #[test]
    fn number_of_known_keys_is_bounded() {
        let (known, fingerprints) = (Known::new(1_000_000), FingerprintKey::random().unwrap());
        for n in 0..2 * MAX_KNOWN {
            let fingerprint = fingerprints.of(0, &n.to_be_bytes()).unwrap();
            known.note(fingerprint, SessionKey::from_bytes([0; 32]));
        }
        assert!((MAX_KNOWN / 2..=MAX_KNOWN).contains(&known.0.len()), "{}", known.0.len());
    }

    #[tokio::test]
    async fn flood_of_invalid_tokens_removes_no_known_session() {
        let proxy = noted().await;
        for n in 0..1000 {
            let token = format!("a.x{n}.c");
            for _ in 0..2 {
                proxy.find(&sent(&token), Answer::Refused).await;
            }
            assert!(proxy.known(&sent(&token)).is_none());
        }
        assert!(proxy.known(&sent("a.b.c")).is_some());
        assert_eq!(proxy.sessions.known.0.len(), 1);
    }
}
