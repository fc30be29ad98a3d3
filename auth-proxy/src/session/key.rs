use std::fmt;

use auth_proxy_rules::{Settings, Strategy};
use aws_lc_rs::digest::{Context, SHA256};
use http::HeaderMap;

use crate::forwarded::ForwardedAs;

/// The name that a session is kept under: a SHA-256 of its token and of the upstream that the token is for. It does not
/// lead back to the token.
///
/// Two spellings of one token have the same name, so that a sign-out with either ends what is kept of both; what is kept
/// is used for the very token alone that it was told of. The name is the same in every process, so that instances can
/// share a store, and different for every upstream, base path and set of `upstream.headers`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
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

/// What an answer of the upstream is an answer to: a token, byte for byte, under these names, from a client that asked
/// for this host over this scheme.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey {
    pub(crate) session: SessionKey,
    pub(crate) exact: [u8; 32],
}

/// Makes the keys of one upstream.
pub(crate) struct Keys {
    upstream: [u8; 32],
    strategy: Strategy,
}

impl Keys {
    pub(crate) fn new(settings: &Settings, headers: &HeaderMap) -> Self {
        let mut fields = Fields::new("upstream");
        fields.add(settings.base_url.origin.to_string().as_bytes());
        fields.add(settings.base_url.prefix.as_bytes());
        fields.add(settings.upstream_base_path.as_bytes());
        // A header may name a tenant: the sessions of one are not those of another. A map has no order.
        let mut headers: Vec<_> = headers.iter().collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        for (name, value) in headers {
            fields.add(name.as_str().as_bytes());
            fields.add(value.as_bytes());
        }
        Self { upstream: fields.finish(), strategy: settings.strategy }
    }

    /// The key of a session, by one of its tokens.
    pub(crate) fn session(&self, token: &str) -> SessionKey {
        let mut fields = Fields::new("session");
        fields.add(&self.upstream);
        match self.strategy {
            // Of a JWS, ECDSA has a second signature for each (RFC 6979 does not help: anybody can make it of the
            // first); and what is signed or encrypted tells tokens apart anyway.
            Strategy::Jwt => {
                let (body, _) = token.rsplit_once('.').unwrap_or((token, ""));
                fields.add(body.as_bytes());
            }
            // A database may compare without regard to case, or to punctuation (collations of MySQL and of ICU).
            _ => {
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

    /// The key of an answer.
    pub(crate) fn token<'n>(
        &self,
        token: &str,
        names: impl Iterator<Item = &'n str>,
        told: &ForwardedAs<'_>,
    ) -> TokenKey {
        let session = self.session(token);
        let mut fields = Fields::new("token");
        fields.add(&session.0);
        fields.add(token.as_bytes());
        for part in [told.host, told.forwarded_host] {
            fields.add(&[u8::from(part.is_some())]);
            fields.add(part.unwrap_or_default().as_bytes());
        }
        fields.add(told.scheme.as_bytes());
        for name in names {
            fields.add(name.as_bytes());
        }
        TokenKey { session, exact: fields.finish() }
    }
}

/// A digest of fields, each with its length before it, so that none runs into the next.
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

    const TOLD: ForwardedAs<'_> = ForwardedAs { host: Some("a"), forwarded_host: Some("a"), scheme: "https" };

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
    fn every_part_of_what_is_asked_is_in_the_key() {
        let plain = keys(&[], &[]);
        let token = |keys: &Keys, token: &str, name: &str, told: ForwardedAs<'_>| {
            keys.token(token, [name].into_iter(), &told)
        };
        let all = [
            token(&plain, "a.b.c", "s", TOLD),
            token(&plain, "a.x.c", "s", TOLD),
            token(&plain, "a.b.x", "s", TOLD),
            token(&plain, "a.b.c", "__Secure-s", TOLD),
            token(&plain, "a.b.c", "s", ForwardedAs { host: Some("b"), ..TOLD }),
            token(&plain, "a.b.c", "s", ForwardedAs { host: None, ..TOLD }),
            token(&plain, "a.b.c", "s", ForwardedAs { host: Some(""), ..TOLD }),
            token(&plain, "a.b.c", "s", ForwardedAs { forwarded_host: Some("b"), ..TOLD }),
            token(&plain, "a.b.c", "s", ForwardedAs { scheme: "http", ..TOLD }),
            token(&keys(&[(OptionKey::BaseUrl, "http://other.internal")], &[]), "a.b.c", "s", TOLD),
            token(&keys(&[(OptionKey::BaseUrl, "http://auth.internal/x")], &[]), "a.b.c", "s", TOLD),
            token(&keys(&[(OptionKey::UpstreamBasePath, "/auth")], &[]), "a.b.c", "s", TOLD),
            token(&keys(&[], &[("x-tenant", "one")]), "a.b.c", "s", TOLD),
            token(&keys(&[], &[("x-tenant", "two")]), "a.b.c", "s", TOLD),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn spellings_of_one_token_have_one_session() {
        let jwt = keys(&[], &[]);
        assert_eq!(jwt.session("a.b.first"), jwt.session("a.b.second"));
        assert_ne!(jwt.session("a.b.c"), jwt.session("A.b.c"));
        let database = keys(&[(OptionKey::Strategy, "database")], &[]);
        assert_eq!(database.session("abc-DEF"), database.session("ABC-def"));
        assert_eq!(database.session("abc-def"), database.session("abcdef"));
        assert_ne!(database.session("abc"), database.session("abd"));
    }
}
