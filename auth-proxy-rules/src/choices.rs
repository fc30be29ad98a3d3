//! The options that take one of a set of bare words: one enum each.

use std::fmt;
use std::str::FromStr;

use crate::invalid_value::InvalidValue;
use crate::suggest::nearest;

/// An enum whose values are written as bare words.
pub(crate) trait Choice: Copy + 'static {
    /// The words with their values, in the order the documentation lists them.
    const VALUES: &'static [(&'static str, Self)];
    /// The words alone.
    const NAMES: &'static [&'static str];

    /// The advice for another name of a value, such as `nextauth`.
    fn hint(_text: &str) -> Option<&'static str> {
        None
    }

    /// Reads one of the words.
    ///
    /// # Errors
    /// Lists the words and the nearest one, when `text` is none of them.
    fn read(text: &str) -> Result<Self, InvalidValue> {
        if let Some(hint) = Self::hint(text) {
            return Err(InvalidValue::with_part(hint, text));
        }
        if let Some((_, value)) = Self::VALUES.iter().find(|(word, _)| *word == text) {
            return Ok(*value);
        }
        let list = Self::NAMES.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let near = nearest(text, Self::NAMES.iter().copied());
        let near = near.map(|word| format!(" (nearest: `{word}`)")).unwrap_or_default();
        Err(InvalidValue::with_part(format!("expected one of {list}{near}"), text))
    }
}

/// Declares an enum with the word of each value; generates `FromStr`, `Display` and the list of words.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ } $(hint = $hint:expr)?) => {
        $(#[$meta])*
        ///
        /// `FromStr` reads the word that selects a value in a configuration, `Display` writes it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl Choice for $name {
            const VALUES: &'static [(&'static str, Self)] = &[$(($word, Self::$variant),)+];
            const NAMES: &'static [&'static str] = &[$($word,)+];

            $(fn hint(text: &str) -> Option<&'static str> {
                $hint(text)
            })?
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                Self::read(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $word,)+ })
            }
        }
    };
}

choice! {
    /// What runs at the upstream: sets the cookie name and the token format.
    Kind {
        /// Robo.js with `@robojs/auth`: cookie names never carry a prefix.
        Robo = "robo",
        /// Auth.js v5 (`@auth/core`, `@auth/express`, `next-auth` v5, ..).
        Authjs = "authjs",
        /// `next-auth` v4. Use 4.24.5 or later: before that, the state cookie of an unfinished sign-in, which anyone
        /// can get, passes as a session token without a user (GHSA-v64w-49xw-qq89). This crate refuses such a token.
        NextAuthV4 = "next_auth_v4",
        /// Better Auth 1.6 or later.
        BetterAuth = "better_auth",
        /// Any issuer of signed tokens whose public keys are at `jwks.url`, such as Keycloak. Nothing is forwarded to it,
        /// and a session is made of the token.
        Generic = "generic",
    }
    hint = other_names_of_a_kind
}

/// The word for another name of a package or product. `next-auth` is v4 or v5, which differ in cookie name and token
/// format, so that name alone is not accepted.
fn other_names_of_a_kind(text: &str) -> Option<&'static str> {
    if Kind::NAMES.contains(&text) {
        return None;
    }
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    match letters.to_ascii_lowercase().as_str() {
        "nextauth" | "nextauthjs" | "next" | "nextjs" => Some(
            "the version of next-auth decides, see package.json: write `authjs` for v5, which is Auth.js, \
             or `next_auth_v4` for v4",
        ),
        "authjs" | "auth" | "authcore" | "authjsv5" | "authjs5" | "nextauthv5" | "nextauth5" => {
            Some("write `authjs` for Auth.js, which next-auth v5 is too, or `next_auth_v4` for next-auth v4")
        }
        "nextauthv4" | "nextauth4" | "authjsv4" | "authjs4" => Some("next-auth v4 is written `next_auth_v4`"),
        "robo" | "robojs" | "robojsauth" => Some("Robo.js is written `robo`"),
        "better" | "betterauth" => Some("Better Auth is written `better_auth`"),
        "oidc" | "openid" | "openidconnect" | "oauth" | "oauth2" | "issuer" | "jwks" | "keycloak"
        | "auth0" | "okta" | "cognito" | "entra" | "zitadel" => {
            Some("an issuer of tokens whose public keys are at `jwks.url` is written `generic`")
        }
        _ => None,
    }
}

choice! {
    /// How the upstream keeps sessions.
    Strategy {
        /// The session is in the cookie, as an encrypted or signed token.
        Jwt = "jwt",
        /// The cookie is an opaque key into the upstream's database.
        Database = "database",
    }
}

choice! {
    /// How a session token is protected. Fixed by configuration, never read from the token.
    TokenFormat {
        /// Auth.js v5: JWE, `dir`, A256CBC-HS512 or A256GCM.
        Encrypted = "encrypted",
        /// next-auth v4: JWE, `dir`, A256GCM.
        EncryptedV4 = "encrypted_v4",
        /// HMAC with SHA-256.
        Hs256 = "hs256",
        /// HMAC with SHA-384.
        Hs384 = "hs384",
        /// HMAC with SHA-512.
        Hs512 = "hs512",
        /// RSA PKCS#1 v1.5 with SHA-256.
        Rs256 = "rs256",
        /// RSA PKCS#1 v1.5 with SHA-384.
        Rs384 = "rs384",
        /// RSA PKCS#1 v1.5 with SHA-512.
        Rs512 = "rs512",
        /// RSA PSS with SHA-256.
        Ps256 = "ps256",
        /// RSA PSS with SHA-384.
        Ps384 = "ps384",
        /// RSA PSS with SHA-512.
        Ps512 = "ps512",
        /// ECDSA on P-256 with SHA-256.
        Es256 = "es256",
        /// ECDSA on P-384 with SHA-384.
        Es384 = "es384",
        /// Ed25519.
        Eddsa = "eddsa",
        /// The cookie cache of Better Auth in its default form: JSON with an HMAC of SHA-256.
        Compact = "compact",
        /// The cookie cache of Better Auth as a JWS of HS256.
        Jwt = "jwt",
        /// The cookie cache of Better Auth as a JWE: `dir`, A256CBC-HS512.
        Jwe = "jwe",
        /// A signature under one of the public keys that the issuer publishes: see the block `jwks`.
        Jwks = "jwks",
    }
    hint = unsupported_algorithms
}

/// Signature algorithms whose names are similar to supported ones, which are of no use in their place.
fn unsupported_algorithms(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "es512" => {
            Some("ES512 is not supported: let the upstream sign with another algorithm, such as `es384`")
        }
        "es256k" => {
            Some("ES256K is not supported: let the upstream sign with another algorithm, such as `es256`")
        }
        "jwk" | "jwkset" | "jwk_set" | "jwks_url" | "jwks_uri" | "oidc" | "openid" => {
            Some("public keys that the issuer publishes are written `jwks`")
        }
        _ => None,
    }
}

impl TokenFormat {
    /// Whether the token is signed (JWS), and not encrypted (JWE).
    #[must_use]
    pub fn is_signed(self) -> bool {
        !matches!(self, Self::Encrypted | Self::EncryptedV4) && !self.is_cookie_cache()
    }

    /// Whether it is a form of the cookie cache: a copy of the session in a second cookie, beside the session cookie.
    #[must_use]
    pub fn is_cookie_cache(self) -> bool {
        matches!(self, Self::Compact | Self::Jwt | Self::Jwe)
    }

    /// Whether the secret is a public key in PEM rather than a shared secret.
    #[must_use]
    pub fn is_asymmetric(self) -> bool {
        self.is_signed() && !matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512 | Self::Jwks)
    }
}

choice! {
    /// Where `Session` comes from.
    Source {
        /// The upstream's `/session`.
        Upstream = "upstream",
        /// The session token, decoded here.
        Local = "local",
    }
}

choice! {
    /// Who answers `GET session` of the sign-in routes.
    AnswerSession {
        /// The upstream: each request is forwarded.
        Upstream = "upstream",
        /// This app, where it knows the session: from the cache, or from the token that is decoded here.
        Cached = "cached",
    }
    hint = other_names_of_an_answerer
}

fn other_names_of_an_answerer(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "cache" | "local" | "memory" | "app" | "proxy" | "here" | "true" | "on" => {
            Some("an answer of this app is written `cached`")
        }
        "forward" | "forwarded" | "server" | "false" | "off" | "never" => {
            Some("an answer of the upstream is written `upstream`")
        }
        _ => None,
    }
}

choice! {
    /// What a guard answers to a request without a session.
    Unauthenticated {
        /// Redirects browser navigations to the sign-in page and answers other requests with 401.
        Auto = "auto",
        /// Always redirects to the sign-in page.
        Redirect = "redirect",
        /// Always answers 401.
        Status = "status",
    }
}

choice! {
    /// What an instance does while it cannot reach the store that it shares with others.
    StoreUnavailable {
        /// Its own memory serves, as without a store: a sign-out at another instance is known after `session.cache`.
        Memory = "memory",
        /// No cached session is used, and the upstream is asked for each request.
        AskUpstream = "ask_upstream",
    }
}

choice! {
    /// Where the list of revoked tokens is kept.
    RevocationList {
        /// There is none: a token that is decoded here is good until its `exp`.
        Off = "off",
        /// In the store that instances share, and in the memory of each.
        Store = "store",
    }
    hint = other_names_of_a_list
}

/// Words for the store itself, or for a switch.
fn other_names_of_a_list(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "redis" | "valkey" | "on" | "true" | "list" | "denylist" | "blocklist" => {
            Some("a list in `session.store` is written `store`")
        }
        "false" | "none" | "memory" => Some("no list is written `off`"),
        _ => None,
    }
}

choice! {
    /// What happens with a token while it is not known whether it was revoked.
    RevocationUnavailable {
        /// It is accepted.
        Allow = "allow",
        /// The upstream is asked for its session.
        AskUpstream = "ask_upstream",
        /// It is refused with 503.
        Refuse = "refuse",
    }
    hint = other_names_of_an_answer
}

fn other_names_of_an_answer(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "deny" | "reject" | "block" | "fail" | "error" | "closed" => {
            Some("a refusal with 503 is written `refuse`")
        }
        "accept" | "open" | "ignore" | "pass" => Some("accepting such tokens is written `allow`"),
        "ask" | "upstream" | "lookup" => Some("a lookup at the upstream is written `ask_upstream`"),
        _ => None,
    }
}

choice! {
    /// Which paths below the base path are forwarded.
    Routes {
        /// Every path; the known routes with their methods only.
        All = "all",
        /// The known routes only.
        Strict = "strict",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<C: Choice + FromStr<Err = InvalidValue> + fmt::Display + fmt::Debug + PartialEq>() {
        assert_eq!(C::VALUES.len(), C::NAMES.len());
        for ((word, value), name) in C::VALUES.iter().zip(C::NAMES) {
            assert_eq!((word, value.to_string().as_str()), (name, *word));
            assert_eq!(word.parse::<C>().as_ref(), Ok(value));
        }
        assert!("".parse::<C>().is_err());
    }

    #[test]
    fn option_words_parse_and_display_as_the_same_value() {
        round_trip::<Kind>();
        round_trip::<Strategy>();
        round_trip::<TokenFormat>();
        round_trip::<Source>();
        round_trip::<Unauthenticated>();
        round_trip::<Routes>();
        round_trip::<StoreUnavailable>();
        round_trip::<RevocationList>();
        round_trip::<RevocationUnavailable>();
        round_trip::<AnswerSession>();
    }

    #[test]
    fn unknown_word_lists_the_words_and_the_nearest() {
        let error = "datbase".parse::<Strategy>().unwrap_err();
        assert_eq!(error.message(), "expected one of `jwt`, `database` (nearest: `database`)");
        assert!(error.quoted().ends_with(", found `datbase`"));
    }

    #[test]
    fn unsupported_algorithm_is_no_misspelt_other_one() {
        for text in ["es512", "ES512", "es256k", "ES256K"] {
            let error = text.parse::<TokenFormat>().unwrap_err();
            assert!(error.message().contains("is not supported"), "{}", error.message());
        }
    }

    #[test]
    fn other_words_for_revocation_get_a_hint() {
        for (text, says) in
            [("redis", "written `store`"), ("On", "written `store`"), ("none", "written `off`")]
        {
            assert!(text.parse::<RevocationList>().unwrap_err().message().contains(says), "{text}");
        }
        for (text, says) in [("deny", "`refuse`"), ("upstream", "`ask_upstream`"), ("open", "`allow`")] {
            assert!(text.parse::<RevocationUnavailable>().unwrap_err().message().contains(says), "{text}");
        }
    }

    #[test]
    fn other_words_for_the_answerer_get_a_hint() {
        for (text, says) in
            [("cache", "written `cached`"), ("Local", "written `cached`"), ("off", "`upstream`")]
        {
            assert!(text.parse::<AnswerSession>().unwrap_err().message().contains(says), "{text}");
        }
    }

    #[test]
    fn other_names_of_a_kind_get_a_hint() {
        for (texts, says) in [
            (&["nextauth", "next_auth", "next-auth", "NextAuth.js", "next.js"][..], "for v5"),
            (&["auth.js", "Auth.js", "@auth/core", "next-auth@5", "Authjs"], "write `authjs` for Auth.js"),
            (&["next-auth@4", "nextauth4", "next-auth-v4"], "is written `next_auth_v4`"),
            (&["robo.js", "Robo", "@robojs/auth"], "is written `robo`"),
            (&["better-auth", "BetterAuth", "better auth"], "is written `better_auth`"),
            (&["oidc", "OpenID Connect", "Keycloak"], "is written `generic`"),
        ] {
            for text in texts {
                let hint = Kind::hint(text).unwrap();
                assert!(hint.contains(says), "{text}: {hint}");
                assert_eq!(text.parse::<Kind>().unwrap_err().message(), hint);
            }
        }
        for text in ["robo", "authjs", "next_auth_v4", "better_auth", "generic", "other"] {
            assert_eq!(Kind::hint(text), None, "{text}");
        }
    }
}
