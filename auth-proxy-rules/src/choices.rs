use crate::{Bad, nearest, url};

/// A set of bare words that an option can take.
pub trait Choice: Copy + 'static {
    /// Every word, in the order the documentation lists them.
    const WORDS: &'static [(&'static str, Self)];

    /// What to write in place of another name that people use.
    #[must_use]
    fn hint(_text: &str) -> Option<&'static str> {
        None
    }

    /// Reads one of the words.
    ///
    /// # Errors
    /// Lists the words, nearest first, when `text` is none of them.
    fn parse(text: &str) -> Result<Self, Bad> {
        if let Some(hint) = Self::hint(text) {
            return Err(Bad::part(hint, text));
        }
        if let Some((_, value)) = Self::WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*value);
        }
        let words: Vec<&str> = Self::WORDS.iter().map(|(word, _)| *word).collect();
        let list = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        Err(match nearest(text, words.iter().copied()) {
            Some(word) => Bad::part(format!("expected one of {list} (nearest: `{word}`)"), text),
            None => Bad::part(format!("expected one of {list}"), text),
        })
    }
}

macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ } $(hint = $hint:expr)?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl Choice for $name {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant),)+];

            $(fn hint(text: &str) -> Option<&'static str> {
                $hint(text)
            })?
        }

        impl $name {
            /// The word that selects this value in a configuration.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
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
        /// `next-auth` v4, at least 4.24.5: before that, a cookie that anybody can get (the state of a sign-in
        /// that was begun) is a token that names nobody (GHSA-v64w-49xw-qq89). It is refused here.
        NextAuthV4 = "next_auth_v4",
    }
    hint = other_names_of_the_kind
}

/// The names that the packages and products go by. `next-auth` says nothing of its version, and v4 and v5 differ in
/// cookie name and token format.
fn other_names_of_the_kind(text: &str) -> Option<&'static str> {
    if Kind::WORDS.iter().any(|(word, _)| *word == text) {
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
        _ => None,
    }
}

/// What `aud` or `iss` of a token must say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Whatever it says, and also nothing.
    Any,
    /// This.
    Is(String),
}

impl Expected {
    /// The bare words; anything else is the value itself.
    pub const WORDS: [&'static str; 1] = ["any"];

    /// Reads the word or a value.
    ///
    /// # Errors
    /// When `text` is empty or longer than 1 KiB.
    pub fn parse(text: &str) -> Result<Self, Bad> {
        match text {
            "any" => Ok(Self::Any),
            text if text.trim_matches(['"', ' ']).is_empty() || text.len() > 1024 => {
                Err(Bad::new("expected the value that the token carries, or `any` to waive the check"))
            }
            text => {
                // Quotes keep a value from reading as the word.
                let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                Ok(Self::Is(inner.unwrap_or(text).to_owned()))
            }
        }
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
    }
}

impl TokenFormat {
    /// Whether the token is signed (JWS), and not encrypted (JWE).
    #[must_use]
    pub fn is_signed(self) -> bool {
        !matches!(self, Self::Encrypted | Self::EncryptedV4)
    }

    /// Whether the secret is a public key in PEM rather than a shared secret.
    #[must_use]
    pub fn is_asymmetric(self) -> bool {
        !matches!(self, Self::Encrypted | Self::EncryptedV4 | Self::Hs256 | Self::Hs384 | Self::Hs512)
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
    /// What a guard answers to a visitor without a session.
    Unauthenticated {
        /// Browser navigations are sent to the sign-in page, everything else gets 401.
        Auto = "auto",
        /// Always to the sign-in page.
        Redirect = "redirect",
        /// Always 401.
        Status = "status",
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

/// The `Host` that the upstream sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// Preserve for an internal upstream, else the upstream's own.
    Auto,
    /// That of this app: of `public_url`, else the one that was asked for, where it is believed.
    Preserve,
    /// The one of `upstream.base_url`.
    Upstream,
    /// A fixed host, with a port where needed.
    Literal(String),
}

impl Host {
    /// The bare words; anything else is a host name.
    pub const WORDS: [&'static str; 3] = ["auto", "preserve", "upstream"];

    /// Reads a word or a host name.
    ///
    /// # Errors
    /// When `text` is neither.
    pub fn parse(text: &str) -> Result<Self, Bad> {
        Ok(match text {
            "auto" => Self::Auto,
            "preserve" => Self::Preserve,
            "upstream" => Self::Upstream,
            _ => Self::Literal(url::host(text)?),
        })
    }
}

/// What becomes of the `Domain` of the upstream's cookies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CookieDomain {
    /// Kept where this app's host is in it, else taken out.
    Auto,
    /// Kept as it is.
    Keep,
    /// Always taken out: every cookie is this host's alone.
    Drop,
    /// Replaced by this domain.
    Literal(String),
}

impl CookieDomain {
    /// The bare words; anything else is a domain.
    pub const WORDS: [&'static str; 3] = ["auto", "keep", "drop"];

    /// Reads a word or a domain.
    ///
    /// # Errors
    /// When `text` is neither.
    pub fn parse(text: &str) -> Result<Self, Bad> {
        Ok(match text {
            "auto" => Self::Auto,
            "keep" => Self::Keep,
            "drop" => Self::Drop,
            _ => {
                let domain = url::host(text.strip_prefix('.').unwrap_or(text))?;
                if domain.contains(':') {
                    return Err(Bad::part("the domain of a cookie has no port", text));
                }
                Self::Literal(domain)
            }
        })
    }
}
