//! The sealed form of a session in a store.

use std::time::{Duration, SystemTime};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};

use super::Stored;
use crate::dialect::RawSession;
use crate::session::cached::CachedSession;
use crate::session::key::TokenKey;

/// The first byte of a sealed session. A session of another version is looked up again.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Content<R> {
    /// How old the session was when it was stored, in milliseconds.
    age_ms: u64,
    /// When it was stored, in seconds since the Unix epoch.
    stored_at: u64,
    session: R,
}

/// By how much the clocks of two instances may differ, in seconds. The store's age of a session counts. The clocks only
/// bound what someone who can write to the store can do: bring back an old session as if it were new.
const CLOCKS_DIFFER: u64 = 300;

/// Seals a session for one exact token, host and scheme. `None` if it cannot be serialized.
pub(super) fn seal(key: &TokenKey, session: &CachedSession) -> Option<Vec<u8>> {
    // If the clock was set back, the age is unknown, and the session is not stored.
    let age = SystemTime::now().duration_since(session.looked_up_at()).ok()?;
    let age_ms = u64::try_from(age.as_millis()).ok()?;
    let raw = session.raw();
    let content = Content { age_ms, stored_at: seconds(SystemTime::now())?, session: &*raw };
    let mut sealed = serde_json::to_vec(&content).ok()?;
    let nonce = cipher(key)?.seal_in_place_append_tag(Aad::from(key.session.as_bytes()), &mut sealed).ok()?;
    let mut bytes = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
    bytes.push(VERSION);
    bytes.extend_from_slice(nonce.as_ref());
    bytes.append(&mut sealed);
    Some(bytes)
}

/// Opens a sealed session. `None` if it belongs to another token, host or scheme, or is not one.
pub(super) fn open(key: &TokenKey, stored: Stored) -> Option<CachedSession> {
    let Stored { mut bytes, age } = stored;
    let (version, sealed) = bytes.split_first_mut()?;
    if *version != VERSION {
        return None;
    }
    let (nonce, sealed) = sealed.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let text = cipher(key)?.open_in_place(nonce, Aad::from(key.session.as_bytes()), sealed).ok()?;
    let content: Content<RawSession> = serde_json::from_slice(text).ok()?;
    let now = SystemTime::now();
    if seconds(now.checked_sub(age)?)?.abs_diff(content.stored_at) > CLOCKS_DIFFER {
        return None;
    }
    let age = age.checked_add(Duration::from_millis(content.age_ms))?;
    let looked_up_at = now.checked_sub(age)?;
    Some(CachedSession::stored(content.session, text.len(), looked_up_at).for_token(key))
}

fn seconds(time: SystemTime) -> Option<u64> {
    Some(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs())
}

/// The key is derived from the hash of the exact token, which never leaves this process.
fn cipher(key: &TokenKey) -> Option<RandomizedNonceKey> {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, &key.exact);
    let derived = hmac::sign(&secret, b"auth-proxy sealed session");
    RandomizedNonceKey::new(&AES_256_GCM, derived.as_ref()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::session::key::SessionKey;

    fn key(session: u8, exact: u8) -> TokenKey {
        TokenKey { session: SessionKey::from_bytes([session; 32]), exact: [exact; 32], fingerprint: None }
    }

    fn session() -> CachedSession {
        let user = json!({ "name": "Ada" }).as_object().unwrap().clone();
        CachedSession::new(RawSession { user, expires: None, extra: Map::new(), needs_refresh: false }, 100)
    }

    #[test]
    fn sealed_session_opens_only_with_its_own_key() {
        let sealed = seal(&key(1, 2), &session()).unwrap();
        assert!(!sealed.windows(3).any(|bytes| bytes == b"Ada"));
        let open = |key: TokenKey, bytes: &[u8]| open(&key, Stored::new(bytes.to_vec(), Duration::ZERO));
        assert_eq!(open(key(1, 2), &sealed), Some(session()));
        assert_eq!(open(key(1, 3), &sealed), None, "another token");
        assert_eq!(open(key(3, 2), &sealed), None, "another entry");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(key(1, 2), &changed), None, "byte {at} changed");
            assert_eq!(open(key(1, 2), &sealed[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn same_session_is_never_sealed_twice_to_the_same_bytes() {
        assert_ne!(seal(&key(1, 2), &session()), seal(&key(1, 2), &session()));
    }

    #[test]
    fn age_in_the_store_counts() {
        let sealed = seal(&key(1, 2), &session()).unwrap();
        let opened = open(&key(1, 2), Stored::new(sealed.clone(), Duration::from_secs(60))).unwrap();
        let now = SystemTime::now();
        assert!(!opened.is_usable(now, Duration::from_secs(60)));
        assert!(opened.is_usable(now, Duration::from_secs(70)));
        assert_eq!(open(&key(1, 2), Stored::new(sealed, Duration::MAX)), None);
    }

    /// Someone who can write to the store gives an old session a new age.
    #[test]
    fn session_is_not_used_when_its_age_in_the_store_contradicts_the_time_in_it() {
        let content = |ago| Content {
            age_ms: 0,
            stored_at: seconds(SystemTime::now()).unwrap() - ago,
            session: RawSession::clone(&session().raw()),
        };
        let opened = |ago: u64, age: u64| {
            let mut sealed = serde_json::to_vec(&content(ago)).unwrap();
            let key = key(1, 2);
            let aad = Aad::from(key.session.as_bytes());
            let nonce = cipher(&key).unwrap().seal_in_place_append_tag(aad, &mut sealed).unwrap();
            let bytes = [&[VERSION][..], nonce.as_ref(), &sealed].concat();
            open(&key, Stored::new(bytes, Duration::from_secs(age))).is_some()
        };
        assert_eq!([opened(0, 0), opened(60, 60), opened(3600, 3600)], [true; 3]);
        assert_eq!([opened(200, 0), opened(0, 200)], [true; 2], "the clocks differ a little");
        assert_eq!([opened(400, 0), opened(86_400, 5), opened(0, 400)], [false; 3]);
    }
}
