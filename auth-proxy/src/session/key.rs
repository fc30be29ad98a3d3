//! The cache keys of sessions and of lookup responses.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use auth_proxy_rules::{Expected, Settings, Strategy};
use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::error::Unspecified;
use http::HeaderMap;

use super::mapping;
use crate::cookie::is_base64url;
use crate::dialect::{self, Dialect, RawSession};
use crate::fingerprint::{Fingerprint, FingerprintKey};
use crate::forwarded::ForwardedAs;
use crate::revocation::NameHash;

/// The key of a cached session: a SHA-256 of its token and of the upstream that the token is for. The token cannot be
/// computed from the key.
///
/// Two spellings of one token have the same key, so a sign-out with either spelling ends the session. A cached session
/// is used only for the exact token that the upstream answered for. The key is the same in every process, so instances
/// can share a store. It differs between upstreams, base paths and sets of `upstream.headers`.
///
/// ```
/// use auth_proxy::store::SessionKey;
///
/// fn redis_key(key: &SessionKey) -> String {
///     key.as_bytes().iter().fold("session:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// The key with these bytes: those of [`as_bytes`](Self::as_bytes), perhaps of another instance.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash by which the list of revoked tokens knows the token.
    pub(crate) fn revoked(&self) -> NameHash {
        half(self.0)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(..)")
    }
}

/// What the response to a lookup depends on.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'s> {
    /// The exact token.
    pub(crate) token: &'s str,
    /// The cookies that are sent with it, as two parts of a `Cookie` line.
    pub(crate) companions: [&'s str; 2],
    /// The names of the session cookie.
    pub(crate) names: [Option<&'s str>; 2],
    pub(crate) forwarded: ForwardedAs<'s>,
}

/// The key of a lookup response, of everything in [`Sent`].
#[derive(Clone, Copy)]
pub(crate) struct TokenKey {
    pub(crate) session: SessionKey,
    /// A SHA-256, which is the same in every process. A store's copy of the session is encrypted with a key derived from it.
    pub(crate) exact: [u8; 32],
    /// The same as a fingerprint, by which this process knows the response. `None` if the crypto library fails: then the
    /// response is not found again.
    pub(crate) fingerprint: Option<Fingerprint>,
}

/// Whether two lookups are the same. The fingerprint follows from the rest.
impl PartialEq for TokenKey {
    fn eq(&self, other: &Self) -> bool {
        self.session == other.session && self.exact == other.exact
    }
}

impl Eq for TokenKey {}

impl Hash for TokenKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.exact.hash(state);
    }
}

/// Computes the keys for one upstream.
pub(crate) struct Keys {
    upstream: [u8; 32],
    /// For the memory of this proxy only, so a fingerprint needs no field for the upstream.
    fingerprints: FingerprintKey,
    /// The issuer whose names of sessions and users count, if it is configured. One address may publish the keys of several
    /// issuers, and each names its users for itself (RFC 7519, section 4.1.2).
    issuer: Option<String>,
    strategy: Strategy,
    dialect: &'static dyn Dialect,
}

impl Keys {
    /// # Errors
    /// If the operating system gives no random bytes.
    pub(crate) fn new(settings: &Settings, headers: &HeaderMap) -> Result<Self, Unspecified> {
        let mut fields = Fields::new("upstream");
        // All Unix sockets have the origin `http://localhost`, and each may lead to another server.
        let server = match &settings.base_url.socket {
            Some(socket) => format!("unix:{socket}"),
            None => settings.base_url.origin.to_string(),
        };
        fields.add(server.as_bytes());
        fields.add(settings.base_url.prefix.as_bytes());
        fields.add(settings.upstream_base_path.as_bytes());
        // A header may name a tenant, and sessions of two tenants must not mix. Sorted, because a map has no order.
        let mut headers: Vec<_> = headers.iter().collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        for (name, value) in headers {
            fields.add(name.as_str().as_bytes());
            fields.add(value.as_bytes());
        }
        Ok(Self {
            upstream: fields.finish(),
            fingerprints: FingerprintKey::random()?,
            issuer: match &settings.issuer {
                Expected::Is(issuer) => Some(issuer.clone()),
                _ => None,
            },
            strategy: settings.strategy,
            dialect: dialect::of(settings.kind),
        })
    }

    /// The key of the session that a token names.
    pub(crate) fn session(&self, token: &str) -> SessionKey {
        let token = self.dialect.session_part(token);
        let mut fields = Fields::new("session");
        fields.add(&self.upstream);
        match self.strategy {
            // The signature is left out: anyone can turn a valid ECDSA signature into a second valid one. The rest of
            // the token identifies it.
            Strategy::Jwt => {
                let (body, _) = token.rsplit_once('.').unwrap_or((token, ""));
                body.split('.').for_each(|part| fields.add(&as_node_reads(part)));
            }
            // A database may ignore case or punctuation when it compares text (collations of MySQL and ICU).
            Strategy::Database | _ => {
                let folded: Vec<u8> = token
                    .bytes()
                    .filter(u8::is_ascii_alphanumeric)
                    .map(|byte| byte.to_ascii_lowercase())
                    .collect();
                fields.add(&folded);
            }
        }
        SessionKey(fields.finish())
    }

    /// The hash by which the list of revoked tokens knows a session.
    pub(crate) fn revoked_session(&self, name: &str) -> NameHash {
        self.issued("revoked session", name)
    }

    /// The hash by which the list of revoked tokens knows a user.
    pub(crate) fn revoked_subject(&self, subject: &str) -> NameHash {
        self.issued("revoked subject", subject)
    }

    /// The hash by which the list of revoked tokens knows the user of a session. `None` if the session does not name them.
    pub(super) fn user_of(&self, session: &RawSession) -> Option<NameHash> {
        mapping::subject(self.dialect, session).map(|subject| self.revoked_subject(&subject))
    }

    /// The hash by which a logout token is known that was accepted.
    pub(crate) fn logout_token(&self, jti: &str) -> NameHash {
        self.issued("logout token", jti)
    }

    /// The hash by which the list of revoked tokens knows a token of which the upstream tells only a hash: the SHA-256 of
    /// the token without what follows its last dot. A signature can be written in two ways, so it is left out. In a cookie
    /// of Better Auth, that leaves the token of its database. The upstream hashes a JWT in the spelling that it issued, so
    /// another spelling is brought to that one.
    pub(crate) fn revoked_token(&self, token: &str) -> NameHash {
        let (signed, _) = token.rsplit_once('.').unwrap_or((token, ""));
        let mut hash = Context::new(&SHA256);
        if self.strategy == Strategy::Jwt && signed.contains('.') {
            for (n, part) in signed.split('.').enumerate() {
                hash.update(if n == 0 { b"" } else { b"." });
                hash.update(&as_node_reads(part));
            }
        } else {
            hash.update(signed.as_bytes());
        }
        half(self.named("revoked token hash", hash.finish()).finish())
    }

    /// The hash by which the list of revoked tokens knows a token with this hash; see [`revoked_token`](Self::revoked_token).
    pub(crate) fn revoked_hash(&self, token_hash: &[u8; 32]) -> NameHash {
        half(self.named("revoked token hash", token_hash).finish())
    }

    /// The key of the attempts to sign in of an address, or for an account. `domain` says which.
    pub(crate) fn attempts(&self, domain: &str, name: &[u8]) -> [u8; 32] {
        self.named(domain, name).finish()
    }

    /// The key of the sign-outs of a user.
    pub(crate) fn sign_outs(&self, user: &str) -> [u8; 32] {
        self.attempts("sign-outs", user.as_bytes())
    }

    /// The hash of a name that the issuer gave.
    fn issued(&self, domain: &str, name: &str) -> NameHash {
        let mut fields = self.named(domain, name);
        if let Some(issuer) = &self.issuer {
            fields.add(issuer.as_bytes());
        }
        half(fields.finish())
    }

    fn named(&self, domain: &str, name: impl AsRef<[u8]>) -> Fields {
        let mut fields = Fields::new(domain);
        fields.add(&self.upstream);
        fields.add(name.as_ref());
        fields
    }

    /// The key of a lookup response.
    pub(crate) fn token(&self, sent: &Sent<'_>) -> TokenKey {
        let session = self.session(sent.token);
        let mut fields = Fields::new("token");
        fields.add(&session.0);
        fields.add(sent.token.as_bytes());
        for part in sent.companions {
            fields.add(part.as_bytes());
        }
        for part in [sent.forwarded.host, sent.forwarded.forwarded_host] {
            fields.add(&[u8::from(part.is_some())]);
            fields.add(part.unwrap_or_default().as_bytes());
        }
        fields.add(sent.forwarded.scheme.as_bytes());
        for name in sent.names.into_iter().flatten() {
            fields.add(name.as_bytes());
        }
        TokenKey { session, exact: fields.finish(), fingerprint: self.fingerprint(sent) }
    }

    /// The fingerprint of everything that the key of a lookup response depends on. `None` if the crypto library fails.
    pub(crate) fn fingerprint(&self, sent: &Sent<'_>) -> Option<Fingerprint> {
        let Sent { token, companions, names, forwarded } = sent;
        let token = self.fingerprints.of(0, token.as_bytes())?;
        let mut parts = [token; 3];
        let mut count = 1;
        for companion in companions.iter().filter(|companion| !companion.is_empty()) {
            *parts.get_mut(count)? = self.fingerprints.of(0, companion.as_bytes())?;
            count += 1;
        }
        let places = [
            !companions[0].is_empty(),
            !companions[1].is_empty(),
            forwarded.host.is_some(),
            forwarded.forwarded_host.is_some(),
        ];
        let places = places.map(u8::from);
        let [host, forwarded_host] =
            [forwarded.host, forwarded.forwarded_host].map(Option::unwrap_or_default);
        let texts = [host, forwarded_host, forwarded.scheme];
        let texts = texts.into_iter().chain(names.iter().copied().flatten()).map(str::as_bytes);
        self.fingerprints.of_all(parts.get(..count)?, std::iter::once(&places[..]).chain(texts))
    }
}

/// Half of a digest, which is enough to tell names apart.
fn half(digest: [u8; 32]) -> NameHash {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    NameHash::from_be_bytes(half)
}

/// A part of a token as base64url without padding, for all spellings that Node decodes to the same bytes. Node takes both
/// alphabets of base64, skips other characters, and ignores the spare bits of the last one. No signature covers the text of
/// the encrypted parts.
fn as_node_reads(part: &str) -> Cow<'_, [u8]> {
    // As the upstream writes it.
    if is_base64url(part.as_bytes()) {
        return Cow::Borrowed(part.as_bytes());
    }
    let same = |byte| match byte {
        b'+' => b'-',
        b'/' => b'_',
        byte => byte,
    };
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut digits: Vec<u8> = part.bytes().map(same).filter(is_digit).collect();
    // Of the last digit, only the bits that count: 2 of 6 after one digit, 4 of 6 after two.
    let steps = match digits.len() % 4 {
        2 => 16,
        3 => 4,
        _ => 1,
    };
    if let Some(last) = digits.last_mut()
        && let Some(at) = DIGITS.iter().position(|digit| digit == last)
        && let Some(digit) = DIGITS.get(at - at % steps)
    {
        *last = *digit;
    }
    Cow::Owned(digits)
}

/// The digits of base64url, each at its value (RFC 4648, section 5).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A digest of fields. The length of each field is hashed before it, so two lists of fields never hash the same text.
struct Fields(Context);

impl Fields {
    fn new(domain: &str) -> Self {
        let mut fields = Self(Context::new(&SHA256));
        fields.add(domain.as_bytes());
        fields
    }

    fn add(&mut self, field: &[u8]) {
        self.0.update(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(field);
    }

    fn finish(self) -> [u8; 32] {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.0.finish().as_ref());
        digest
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use auth_proxy_rules::{Draft, OptionKey};

    use super::*;

    const FORWARDED: ForwardedAs<'_> =
        ForwardedAs { host: Some("a"), forwarded_host: Some("a"), scheme: "https" };

    const SENT: Sent<'_> =
        Sent { token: "a.b.c", companions: ["", ""], names: [Some("s"), None], forwarded: FORWARDED };

    fn keys(values: &[(OptionKey, &str)], headers: &[(&'static str, &'static str)]) -> Keys {
        let mut draft = Draft::default();
        draft.set(OptionKey::BaseUrl, "http://auth.internal").unwrap();
        for (option, text) in values {
            draft.set(*option, text).unwrap();
        }
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Keys::new(&draft.resolve().unwrap(), &headers).unwrap()
    }

    #[test]
    fn token_key_depends_on_every_part_of_the_lookup() {
        let plain = keys(&[], &[]);
        let token = |keys: &Keys, token: &str, name: &str, forwarded: ForwardedAs<'_>| {
            keys.token(&Sent { token, companions: ["", ""], names: [Some(name), None], forwarded })
        };
        let all = [
            token(&plain, "a.b.c", "s", FORWARDED),
            token(&plain, "a.x.c", "s", FORWARDED),
            token(&plain, "a.b.x", "s", FORWARDED),
            token(&plain, "a.b.c", "__Secure-s", FORWARDED),
            token(&plain, "a.b.c", "s", ForwardedAs { host: Some("b"), ..FORWARDED }),
            token(&plain, "a.b.c", "s", ForwardedAs { host: None, ..FORWARDED }),
            token(&plain, "a.b.c", "s", ForwardedAs { host: Some(""), ..FORWARDED }),
            token(&plain, "a.b.c", "s", ForwardedAs { forwarded_host: Some("b"), ..FORWARDED }),
            token(&plain, "a.b.c", "s", ForwardedAs { scheme: "http", ..FORWARDED }),
            token(&keys(&[(OptionKey::BaseUrl, "http://other.internal")], &[]), "a.b.c", "s", FORWARDED),
            token(&keys(&[(OptionKey::BaseUrl, "http://auth.internal/x")], &[]), "a.b.c", "s", FORWARDED),
            // All of these have the origin `http://localhost`.
            token(&keys(&[(OptionKey::BaseUrl, "http://localhost")], &[]), "a.b.c", "s", FORWARDED),
            token(&keys(&[(OptionKey::BaseUrl, "unix:/run/a.sock")], &[]), "a.b.c", "s", FORWARDED),
            token(&keys(&[(OptionKey::BaseUrl, "unix:/run/b.sock")], &[]), "a.b.c", "s", FORWARDED),
            token(&keys(&[(OptionKey::BaseUrl, "unix:/run/b.sock:/x")], &[]), "a.b.c", "s", FORWARDED),
            token(&keys(&[(OptionKey::UpstreamBasePath, "/auth")], &[]), "a.b.c", "s", FORWARDED),
            token(&keys(&[], &[("x-tenant", "one")]), "a.b.c", "s", FORWARDED),
            token(&keys(&[], &[("x-tenant", "two")]), "a.b.c", "s", FORWARDED),
            plain.token(&Sent { companions: ["d=1", ""], ..SENT }),
            plain.token(&Sent { companions: ["", "d=1"], ..SENT }),
        ];
        assert!(all[0] == token(&plain, "a.b.c", "s", FORWARDED));
        for (n, key) in all.iter().enumerate() {
            assert!(all.iter().skip(n + 1).all(|other| other != key), "{n}");
        }
    }

    /// Whoever chooses one part of a request must not reach the session of another.
    #[test]
    fn fingerprint_is_the_same_only_for_the_same_lookup() {
        let own = keys(&[], &[]);
        let long = "x".repeat(300);
        let forwarded = |host, forwarded_host, scheme| ForwardedAs { host, forwarded_host, scheme };
        let all = [
            SENT,
            Sent { token: "a.b.d", ..SENT },
            // The same session key: a signature is left out there.
            Sent { token: "a.b.c=", ..SENT },
            Sent { token: "", ..SENT },
            Sent { companions: ["d=1", ""], ..SENT },
            Sent { companions: ["", "d=1"], ..SENT },
            Sent { companions: ["d=1", "d=1"], ..SENT },
            Sent { companions: ["a.b.c", ""], ..SENT },
            Sent { token: "d=1", companions: ["a.b.c", ""], ..SENT },
            Sent { names: [None, None], ..SENT },
            Sent { names: [Some("t"), None], ..SENT },
            Sent { names: [Some("s"), Some("t")], ..SENT },
            Sent { names: [Some("t"), Some("s")], ..SENT },
            Sent { names: [Some("st"), None], ..SENT },
            Sent { forwarded: forwarded(None, Some("a"), "https"), ..SENT },
            Sent { forwarded: forwarded(Some("a"), None, "https"), ..SENT },
            Sent { forwarded: forwarded(Some(""), Some("a"), "https"), ..SENT },
            Sent { forwarded: forwarded(Some("b"), Some("a"), "https"), ..SENT },
            Sent { forwarded: forwarded(Some("a"), Some("b"), "https"), ..SENT },
            Sent { forwarded: forwarded(Some("aa"), Some(""), "https"), ..SENT },
            Sent { forwarded: forwarded(Some("a"), Some("a"), "http"), ..SENT },
            Sent { forwarded: forwarded(Some(&long), Some("a"), "https"), ..SENT },
            Sent { forwarded: forwarded(Some("a"), Some(&long), "https"), ..SENT },
        ];
        let fingerprints: HashSet<_> = all.iter().map(|sent| own.fingerprint(sent).unwrap()).collect();
        assert_eq!(fingerprints.len(), all.len());
        assert!(all.iter().all(|sent| fingerprints.contains(&own.fingerprint(sent).unwrap())));
        assert!(own.token(&SENT).fingerprint == own.fingerprint(&SENT));
        // That of another proxy, or of another start of this one.
        assert!(!fingerprints.contains(&keys(&[], &[]).fingerprint(&SENT).unwrap()));
    }

    #[test]
    fn names_of_one_issuer_are_not_those_of_another() {
        let of = |issuer: &str| {
            let keys = keys(&[(OptionKey::Issuer, issuer)], &[]);
            [keys.revoked_session("1"), keys.revoked_subject("1"), keys.logout_token("1")]
        };
        let all = [of("https://id.example/a"), of("https://id.example/b"), of("any")].concat();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(of("https://id.example/a"), of("https://id.example/a"));
        // Any issuer is the default.
        assert_eq!(of("any")[1], keys(&[], &[]).revoked_subject("1"));
    }

    #[test]
    fn two_spellings_of_a_token_have_the_same_session_key() {
        let jwt = keys(&[], &[]);
        assert_eq!(jwt.session("a.b.first"), jwt.session("a.b.second"));
        assert_ne!(jwt.session("a.b.c"), jwt.session("A.b.c"));
        let spellings = ["eyJ..AAAQ.-_A.t", "eyJ..AAAQ.-_B.t", "eyJ..AAAQ.+/A=.t", "eyJ..A!AAQ.-_D.x"];
        for spelling in spellings {
            assert_eq!(jwt.session(spelling), jwt.session(spellings[0]), "{spelling}");
        }
        for other in ["eyJ..AAAQ.-_E.t", "eyJ..AAAR.-_A.t", "eyJ.AAAQ.-_A.t", "eyJ..AAA.-_A.t"] {
            assert_ne!(jwt.session(other), jwt.session(spellings[0]), "{other}");
        }
        let database = keys(&[(OptionKey::Strategy, "database")], &[]);
        assert_eq!(database.session("abc-DEF"), database.session("ABC-def"));
        assert_eq!(database.session("abc-def"), database.session("abcdef"));
        assert_ne!(database.session("abc"), database.session("abd"));
        let signed = keys(&[(OptionKey::Kind, "better_auth")], &[]);
        assert_eq!(signed.session("abc.c2ln="), signed.session("abc"));
        assert_ne!(signed.session("abc.c2ln="), signed.session("abd.c2ln="));
    }
}
