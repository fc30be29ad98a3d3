//! The cache keys of sessions and of lookup responses.

use std::fmt;

use auth_proxy_rules::{Expected, Settings, Strategy};
use aws_lc_rs::digest::{Context, SHA256, digest};
use http::HeaderMap;

use super::mapping;
use crate::dialect::{self, Dialect, RawSession};
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

/// The key of a lookup response: the exact token and the cookies sent with it, the cookie names, and the forwarded host and scheme.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey {
    pub(crate) session: SessionKey,
    pub(crate) exact: [u8; 32],
}

/// Computes the keys for one upstream.
pub(crate) struct Keys {
    upstream: [u8; 32],
    /// The issuer whose names of sessions and users count, if it is configured. One address may publish the keys of several
    /// issuers, and each names its users for itself (RFC 7519, section 4.1.2).
    issuer: Option<String>,
    strategy: Strategy,
    dialect: &'static dyn Dialect,
}

impl Keys {
    pub(crate) fn new(settings: &Settings, headers: &HeaderMap) -> Self {
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
        Self {
            upstream: fields.finish(),
            issuer: match &settings.issuer {
                Expected::Is(issuer) => Some(issuer.clone()),
                _ => None,
            },
            strategy: settings.strategy,
            dialect: dialect::of(settings.kind),
        }
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
        let parts = signed.split('.').map(as_node_reads);
        let as_issued = parts.collect::<Vec<_>>().join(&b'.');
        let is_jwt = self.strategy == Strategy::Jwt && signed.contains('.');
        let hashed = digest(&SHA256, if is_jwt { &as_issued } else { signed.as_bytes() });
        half(self.named("revoked token hash", hashed).finish())
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
    pub(crate) fn token<'n>(
        &self,
        token: &str,
        companions: [&str; 2],
        names: impl Iterator<Item = &'n str>,
        forwarded: &ForwardedAs<'_>,
    ) -> TokenKey {
        let session = self.session(token);
        let mut fields = Fields::new("token");
        fields.add(&session.0);
        fields.add(token.as_bytes());
        for part in companions {
            fields.add(part.as_bytes());
        }
        for part in [forwarded.host, forwarded.forwarded_host] {
            fields.add(&[u8::from(part.is_some())]);
            fields.add(part.unwrap_or_default().as_bytes());
        }
        fields.add(forwarded.scheme.as_bytes());
        for name in names {
            fields.add(name.as_bytes());
        }
        TokenKey { session, exact: fields.finish() }
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
fn as_node_reads(part: &str) -> Vec<u8> {
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
    digits
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

    fn keys(values: &[(OptionKey, &str)], headers: &[(&'static str, &'static str)]) -> Keys {
        let mut draft = Draft::default();
        draft.set(OptionKey::BaseUrl, "http://auth.internal").unwrap();
        for (option, text) in values {
            draft.set(*option, text).unwrap();
        }
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Keys::new(&draft.resolve().unwrap(), &headers)
    }

    #[test]
    fn token_key_depends_on_every_part_of_the_lookup() {
        let plain = keys(&[], &[]);
        let token = |keys: &Keys, token: &str, name: &str, forwarded: ForwardedAs<'_>| {
            keys.token(token, ["", ""], [name].into_iter(), &forwarded)
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
            plain.token("a.b.c", ["d=1", ""], ["s"].into_iter(), &FORWARDED),
            plain.token("a.b.c", ["", "d=1"], ["s"].into_iter(), &FORWARDED),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
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
