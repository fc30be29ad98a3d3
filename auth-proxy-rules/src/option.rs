use std::fmt;

use crate::{Choice as _, Kind};

/// The block of a configuration that an option stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// At the top level.
    Top,
    /// In `upstream: { .. }`.
    Upstream,
    /// In `session: { .. }`.
    Session,
    /// In `cors: { .. }`.
    Cors,
    /// In `rewrite: { .. }`.
    Rewrite,
}

impl Group {
    /// The blocks that stand at the top level, beside the options there.
    pub const BLOCKS: [Self; 4] = [Self::Upstream, Self::Session, Self::Cors, Self::Rewrite];

    /// The block with this key.
    #[must_use]
    pub fn block(key: &str) -> Option<Self> {
        Self::BLOCKS.into_iter().find(|block| block.key() == key)
    }

    /// The key of the block, empty for the top level.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Top => "",
            Self::Upstream => "upstream",
            Self::Session => "session",
            Self::Cors => "cors",
            Self::Rewrite => "rewrite",
        }
    }
}

/// How the value of an option is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A string literal.
    Text,
    /// One of a set of bare words.
    Word(&'static [&'static str]),
    /// One of a set of bare words, or a string literal.
    WordOrText(&'static [&'static str]),
    /// A duration such as `5s`.
    Duration,
    /// A duration such as `5s`, or the bare word `off`.
    DurationOrOff,
    /// A duration such as `1h`, or the bare word `always`.
    DurationOrAlways,
    /// A size such as `1MiB`.
    Size,
    /// A whole number.
    Count,
    /// A whole number, or the bare word `off`.
    CountOrOff,
    /// `true` or `false`.
    Bool,
    /// `{ "name": "value" }`.
    Headers,
    /// `env("NAME")`, or a list of them.
    Secret,
    /// A list of string literals; in one text, with commas between.
    List,
    /// A list of names, as bare words or string literals; in one text, with commas between.
    Names,
    /// A Rust expression.
    Expression,
}

macro_rules! options {
    ($($(#[doc = $doc:literal])+ $name:ident = $group:ident $key:literal, $shape:expr, $env:literal, $example:literal;)+) => {
        /// An option of a configuration.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Opt { $($(#[doc = $doc])+ $name,)+ }

        impl Opt {
            /// Every option, in the order the documentation lists them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The block it stands in.
            #[must_use]
            pub fn group(self) -> Group {
                match self { $(Self::$name => Group::$group,)+ }
            }

            /// Its key within the block.
            #[must_use]
            pub fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)+ }
            }

            /// How its value is written.
            #[must_use]
            pub fn shape(self) -> Shape {
                match self { $(Self::$name => $shape,)+ }
            }

            /// Whether its value may come from the environment.
            #[must_use]
            pub fn takes_env(self) -> bool {
                match self { $(Self::$name => $env,)+ }
            }

            /// A value to show in messages, as it would be written.
            #[must_use]
            pub fn example(self) -> &'static str {
                match self { $(Self::$name => $example,)+ }
            }
        }
    };
}

const TOKEN_WORDS: &[&str] = &[
    "encrypted",
    "encrypted_v4",
    "hs256",
    "hs384",
    "hs512",
    "rs256",
    "rs384",
    "rs512",
    "ps256",
    "ps384",
    "ps512",
    "es256",
    "es384",
    "eddsa",
];

options! {
    /// `base_path`
    BasePath = Top "base_path", Shape::Text, false, "\"/api/auth\"";
    /// `public_url`
    PublicUrl = Top "public_url", Shape::Text, true, "\"https://app.example.com\"";
    /// `hosts`
    Hosts = Top "hosts", Shape::List, true, "[\"app.example.com\"]";
    /// `upstream.kind`
    Kind = Upstream "kind", Shape::Word(&["robo", "authjs", "next_auth_v4"]), true, "robo";
    /// `upstream.base_url`
    BaseUrl = Upstream "base_url", Shape::Text, true, "env(\"AUTH_UPSTREAM_URL\")";
    /// `upstream.base_path`
    UpstreamBasePath = Upstream "base_path", Shape::Text, true, "\"/api/auth\"";
    /// `upstream.headers`
    Headers = Upstream "headers", Shape::Headers, true, "{ \"x-api-key\": env(\"AUTH_PROXY_KEY\") }";
    /// `upstream.cookie_name`
    CookieName = Upstream "cookie_name", Shape::Text, true, "\"authjs.session-token\"";
    /// `upstream.secret`
    Secret = Upstream "secret", Shape::Secret, true, "env(\"AUTH_SECRET\")";
    /// `upstream.session_strategy`
    Strategy = Upstream "session_strategy", Shape::Word(&["jwt", "database"]), true, "jwt";
    /// `upstream.token`
    Token = Upstream "token", Shape::Word(TOKEN_WORDS), true, "encrypted";
    /// `upstream.audience`
    Audience = Upstream "audience", Shape::WordOrText(&["any"]), true, "\"my-app\"";
    /// `upstream.issuer`
    Issuer = Upstream "issuer", Shape::WordOrText(&["any"]), true, "\"https://auth.example.com\"";
    /// `upstream.public_origins`
    PublicOrigins = Upstream "public_origins", Shape::List, true, "[\"https://auth.example.com\"]";
    /// `upstream.host`
    Host = Upstream "host", Shape::WordOrText(&["auto", "preserve", "upstream"]), true, "auto";
    /// `upstream.fetch`
    Fetch = Upstream "fetch", Shape::Expression, false, "my_client()";
    /// `upstream.timeout`
    Timeout = Upstream "timeout", Shape::Duration, true, "10s";
    /// `upstream.connect_timeout`
    ConnectTimeout = Upstream "connect_timeout", Shape::Duration, true, "2s";
    /// `upstream.concurrency`
    Concurrency = Upstream "concurrency", Shape::Count, true, "128";
    /// `upstream.queue`
    Queue = Upstream "queue", Shape::CountOrOff, true, "1_000";
    /// `upstream.retries`
    Retries = Upstream "retries", Shape::CountOrOff, true, "2";
    /// `upstream.circuit_breaker`
    CircuitBreaker = Upstream "circuit_breaker", Shape::CountOrOff, true, "5";
    /// `upstream.body_limit`
    BodyLimit = Upstream "body_limit", Shape::Size, true, "1MiB";
    /// `upstream.allow_http`
    AllowHttp = Upstream "allow_http", Shape::Bool, true, "true";
    /// `session.source`
    Source = Session "source", Shape::Word(&["upstream", "local"]), true, "upstream";
    /// `session.cache`
    Cache = Session "cache", Shape::DurationOrOff, true, "30s";
    /// `session.cache_entries`
    CacheEntries = Session "cache_entries", Shape::Count, true, "10_000";
    /// `session.stale_if_error`
    StaleIfError = Session "stale_if_error", Shape::DurationOrOff, true, "5m";
    /// `session.renew`
    Renew = Session "renew", Shape::DurationOrAlways, true, "1h";
    /// `session.expose_session_token`
    ExposeSessionToken = Session "expose_session_token", Shape::Bool, true, "true";
    /// `session.claims`
    SessionClaims = Session "claims", Shape::Names, true, "[role, \"org.id\"]";
    /// `unauthenticated`
    Unauthenticated = Top "unauthenticated", Shape::Word(&["auto", "redirect", "status"]), true, "auto";
    /// `sign_in_path`
    SignInPath = Top "sign_in_path", Shape::Text, true, "\"/api/auth/signin\"";
    /// `trusted_proxies`
    TrustedProxies = Top "trusted_proxies", Shape::List, true, "[\"10.0.0.0/8\"]";
    /// `client_js`
    ClientJs = Top "client_js", Shape::Bool, true, "false";
    /// `cors.origins`
    CorsOrigins = Cors "origins", Shape::List, true, "[\"https://app.example.com\"]";
    /// `rewrite.location`
    RewriteLocation = Rewrite "location", Shape::Bool, true, "false";
    /// `rewrite.cookie_domain`
    CookieDomain = Rewrite "cookie_domain", Shape::WordOrText(&["auto", "keep", "drop"]), true, "\"example.com\"";
    /// `rewrite.cookie_path`
    CookiePath = Rewrite "cookie_path", Shape::Bool, true, "false";
    /// `rewrite.cookie_secure`
    CookieSecure = Rewrite "cookie_secure", Shape::Bool, true, "false";
    /// `rewrite.cookie_prefix`
    CookiePrefix = Rewrite "cookie_prefix", Shape::Bool, true, "false";
    /// `routes`
    Routes = Top "routes", Shape::Word(&["all", "strict"]), true, "all";
}

impl Opt {
    /// The option with this key in this block.
    #[must_use]
    pub fn find(group: Group, key: &str) -> Option<Self> {
        Self::in_group(group).find(|option| option.key() == key)
    }

    /// What to write in place of `text`, where it is another name for a word of this option.
    #[must_use]
    pub fn hint(self, text: &str) -> Option<&'static str> {
        match self {
            Self::Kind => Kind::hint(text),
            _ => None,
        }
    }

    /// The options of a block.
    pub fn in_group(group: Group) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |option| option.group() == group)
    }
}

/// The full name, such as `upstream.base_url`.
impl fmt::Display for Opt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group() {
            Group::Top => f.write_str(self.key()),
            group => write!(f, "{}.{}", group.key(), self.key()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Choice, Routes, Source, Strategy, TokenFormat, Unauthenticated};

    fn words<C: Choice>() -> Vec<&'static str> {
        C::WORDS.iter().map(|(word, _)| *word).collect()
    }

    #[test]
    fn the_words_of_the_table_are_those_of_the_types() {
        for (option, expected) in [
            (Opt::Kind, words::<Kind>()),
            (Opt::Strategy, words::<Strategy>()),
            (Opt::Token, words::<TokenFormat>()),
            (Opt::Source, words::<Source>()),
            (Opt::Unauthenticated, words::<Unauthenticated>()),
            (Opt::Routes, words::<Routes>()),
            (Opt::Host, crate::Host::WORDS.to_vec()),
            (Opt::CookieDomain, crate::CookieDomain::WORDS.to_vec()),
            (Opt::Audience, crate::Expected::WORDS.to_vec()),
            (Opt::Issuer, crate::Expected::WORDS.to_vec()),
        ] {
            let (Shape::Word(words) | Shape::WordOrText(words)) = option.shape() else {
                panic!("{option} is not a word");
            };
            assert_eq!(words, expected, "{option}");
        }
    }

    #[test]
    fn other_names_of_a_kind_are_told_the_word() {
        for (texts, says) in [
            (&["nextauth", "next_auth", "next-auth", "NextAuth.js", "next.js"][..], "for v5"),
            (&["auth.js", "Auth.js", "@auth/core", "next-auth@5", "Authjs"], "write `authjs` for Auth.js"),
            (&["next-auth@4", "nextauth4", "next-auth-v4"], "is written `next_auth_v4`"),
            (&["robo.js", "Robo", "@robojs/auth"], "is written `robo`"),
        ] {
            for text in texts {
                let hint = Opt::Kind.hint(text).unwrap();
                assert!(hint.contains(says), "{text}: {hint}");
                assert_eq!(Kind::parse(text).unwrap_err().message, hint);
            }
        }
        for text in ["robo", "authjs", "next_auth_v4", "other"] {
            assert_eq!(Opt::Kind.hint(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<String> = Opt::ALL.iter().map(ToString::to_string).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), Opt::ALL.len());
        assert_eq!(Opt::find(Group::Upstream, "base_path"), Some(Opt::UpstreamBasePath));
        assert_eq!(Opt::find(Group::Top, "base_url"), None);
    }
}
