//! The options as documented types, for editors: see `config/editor.rs` of the macro crate.
//!
//! Generated from the table in `docs/guide/options.md`. After a change of the table run
//! `UPDATE_EDITOR_DOCS=1 cargo test -p auth-proxy-tests --test behaviour editor_docs`.
//!
//! Imports the rooms: `config`.
//! Does without the crates: `axum`, `http`, `hyper`, `jsonwebtoken`, `serde`, `tokio`, `tower`, `tracing`.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub)]

/// The options at the top level.
pub struct Top {
    /// `base_path`: where the sign-in routes live in this app
    ///
    /// Value: path, literal. Default: `"/api/auth"`.
    pub base_path: (),
    /// `public_url`: this app's own origin as browsers see it; then the host and scheme of requests are
    /// ignored
    ///
    /// Value: http(s) origin. Default: from the request.
    pub public_url: (),
    /// `hosts`: in place of `public_url`, for an app with several hosts; each with its port, if the address
    /// has one. Behind TLS also set `trusted_proxies`, which tell the scheme
    ///
    /// Value: list of hosts. Default: none.
    pub hosts: (),
    /// `unauthenticated`: what guards answer: `auto` sends browser navigations to sign in, and answers 401
    /// to the rest
    ///
    /// Value: `auto` `redirect` `status`. Default: `auto`.
    pub unauthenticated: (),
    /// `sign_in_path`: where guards send browsers to sign in; `/sign-in` with `better_auth`, which has no
    /// pages
    ///
    /// Value: path. Default: `{base_path}/signin`.
    pub sign_in_path: (),
    /// `trusted_proxies`: peers whose `X-Forwarded-For`, `-Host` and `-Proto` count; those of other peers
    /// are dropped. The `Host` of these peers is not trusted
    ///
    /// Value: list of addresses and CIDR blocks. Default: none.
    pub trusted_proxies: (),
    /// `client_js`: serves a browser client at `{base_path}/client.js`
    ///
    /// Value: `true` `false`. Default: `true`.
    pub client_js: (),
    /// `routes`: `strict` forwards the known routes only
    ///
    /// Value: `all` `strict`. Default: `all`.
    pub routes: (),
    /// The block `upstream: { .. }`: the sign-in server and how it is reached.
    pub upstream: Upstream,
    /// The block `session: { .. }`: where sessions come from and how long they are cached.
    pub session: Session,
    /// The block `cors: { .. }`: other origins that may use the sign-in routes.
    pub cors: Cors,
    /// The block `rewrite: { .. }`: what changes in the upstream's responses.
    pub rewrite: Rewrite,
    /// The block `jwks: { .. }`: the public keys that an issuer publishes.
    pub jwks: Jwks,
    /// The block `revocation: { .. }`: how the upstream revokes tokens.
    pub revocation: Revocation,
    /// The block `sign_in_limit: { .. }`: how often visitors may try to sign in.
    pub sign_in_limit: SignInLimit,
}

/// The block `upstream: { .. }`: the sign-in server and how it is reached.
pub struct Upstream {
    /// `upstream.kind`: the routes, the names of the session cookie and the token format; next-auth v4 and
    /// Better Auth need it; explicit options win; `generic` is [any issuer of signed tokens][published
    /// keys], which is asked for its keys only
    ///
    /// Value: `robo` `authjs` `next_auth_v4` `better_auth` `generic`. Default: Auth.js v5 or Robo.js.
    pub kind: (),
    /// `upstream.base_url`: where the upstream is, without `upstream.base_path`; another path is kept as a
    /// prefix (`"unix:/path:/prefix"`); none with `kind: generic`; `unix:` is a socket of this machine
    ///
    /// Value: http(s) URL, or `"unix:/path"`. Default: required.
    pub base_url: (),
    /// `upstream.base_path`: where the routes live at the upstream
    ///
    /// Value: path. Default: `base_path`.
    pub base_path: (),
    /// `upstream.headers`: sent with every request; headers of these names from clients are dropped, also
    /// where the value is unset
    ///
    /// Value: map. Default: `{}`.
    pub headers: (),
    /// `upstream.cookie_name`: the one name of the session cookie, prefix included: it is the salt of the
    /// token key
    ///
    /// Value: cookie name. Default: by `kind`.
    pub cookie_name: (),
    /// `upstream.secret`: decodes tokens here; never a literal, never with `database`. With `better_auth`
    /// it checks signatures and opens the cookie cache, and a variable may have the form of
    /// `BETTER_AUTH_SECRETS`, `2:new,1:old`
    ///
    /// Value: `env(..)` or a list, newest first. Default: none.
    pub secret: (),
    /// `upstream.session_strategy`: must be the upstream's; `better_auth` has none
    ///
    /// Value: `jwt` `database`. Default: `jwt`.
    pub session_strategy: (),
    /// `upstream.token`: the algorithm, never read from the token; `jwks` takes it from the [published
    /// keys]; the three before are the `strategy` of Better Auth's `cookieCache`, `compact` by default
    ///
    /// Value: `encrypted` `encrypted_v4` `hs256` .. `eddsa`; `compact` `jwt` `jwe`; `jwks`. Default: by
    /// `kind`.
    pub token: (),
    /// `upstream.audience`: what `aud` of a token must be or contain; has to be written for `hs256` to
    /// `eddsa` and `jwks`
    ///
    /// Value: `"text"` or `any`. Default: `any`.
    pub audience: (),
    /// `upstream.issuer`: the same for `iss`; `jwks` needs the text
    ///
    /// Value: `"text"` or `any`. Default: `any`.
    pub issuer: (),
    /// `upstream.public_origins`: other origins that the upstream takes for its own, such as Robo's
    /// `AUTH_URL`: their redirects become this app's
    ///
    /// Value: list of origins. Default: none.
    pub public_origins: (),
    /// `upstream.host`: the `Host` that the upstream sees; `auto`: preserve for an internal upstream, else
    /// the upstream's
    ///
    /// Value: `auto` `preserve` `upstream` `"host"`. Default: `auto`.
    pub host: (),
    /// `upstream.fetch`: any `Clone` tower service, `Fetch`, or `auth_proxy::fetch::Reqwest::new(client)`
    /// (feature `reqwest`)
    ///
    /// Value: Rust expression. Default: a pooled hyper client.
    pub fetch: (),
    /// `upstream.timeout`: limit for the head of a response, and for the pause between two pieces of its
    /// body; a lookup must be complete within it
    ///
    /// Value: 10ms to 10m. Default: `10s`.
    pub timeout: (),
    /// `upstream.connect_timeout`: limit for connecting, TLS included; it is part of `timeout`
    ///
    /// Value: up to `timeout`. Default: `2s`.
    pub connect_timeout: (),
    /// `upstream.concurrency`: lookups under way at the upstream at once; more wait, within `timeout`
    ///
    /// Value: count. Default: `128`.
    pub concurrency: (),
    /// `upstream.queue`: how many wait; further ones get 503 at once. `concurrency` and `queue` together
    /// bound the forwarded requests
    ///
    /// Value: count, or `off`. Default: `1_000`.
    pub queue: (),
    /// `upstream.retries`: how often an idempotent request is tried again, within `timeout`
    ///
    /// Value: count up to 10, or `off`. Default: `2`.
    pub retries: (),
    /// `upstream.circuit_breaker`: after this many confirmed failures in a row, requests are answered 503
    /// `circuit_open` for a moment, and the upstream is not asked
    ///
    /// Value: count, or `off`. Default: `5`.
    pub circuit_breaker: (),
    /// `upstream.body_limit`: limit of a request body
    ///
    /// Value: 1B to 1GiB. Default: `1MiB`.
    pub body_limit: (),
    /// `upstream.allow_http`: plain http to a public host
    ///
    /// Value: `true` `false`. Default: `false`.
    pub allow_http: (),
}

/// The block `session: { .. }`: where sessions come from and how long they are cached.
pub struct Session {
    /// `session.source`: `local` makes the session of the token, and needs a secret or `upstream.token:
    /// jwks`; always so with `kind: generic`
    ///
    /// Value: `upstream` `local`. Default: `upstream`.
    pub source: (),
    /// `session.cache`: how long a session is good without asking again: a sign-out elsewhere may go
    /// unnoticed here for that long
    ///
    /// Value: 10ms to 1h, or `off`. Default: `off`.
    pub cache: (),
    /// `session.cache_entries`: how many sessions, and how many verified tokens, are cached; one of more
    /// than 2 KiB counts as several
    ///
    /// Value: count. Default: `10_000`.
    pub cache_entries: (),
    /// `session.stale_if_error`: in an outage, how much longer than `cache` a cached session is used
    ///
    /// Value: 10ms to 24h, or `off`. Default: `off`.
    pub stale_if_error: (),
    /// `session.store`: with the feature `redis`: the Redis or Valkey in which the instances of an app
    /// share cached sessions and sign-outs; needs `cache` or `revocation: store`. An address in the source
    /// has no password. A password to a host that is not internal needs `rediss://`, or a warning is
    /// logged. See [`store::Redis`](crate::store::Redis) for other options of it
    ///
    /// Value: `redis(env("NAME"))`. Default: none.
    pub store: (),
    /// `session.store_unavailable`: while the shared store cannot be reached: `memory` goes on as without a
    /// store, so a sign-out at another instance is known after `cache`; `ask_upstream` uses no cached
    /// session, so a sign-out is known at once, and the upstream gets a lookup for each request
    ///
    /// Value: `memory` `ask_upstream`. Default: `memory`.
    pub store_unavailable: (),
    /// `session.revocation`: `store`: a sign-out ends tokens that are decoded here too, at every instance
    /// that shares the store, before their `exp`; needs `session.store`
    ///
    /// Value: `off` `store`. Default: `off`.
    pub revocation: (),
    /// `session.revocation_unavailable`: what happens with a token that is decoded here while the list of
    /// revoked tokens may be incomplete: it is accepted, looked up at the upstream, or refused with 503
    ///
    /// Value: `allow` `ask_upstream` `refuse`. Default: `ask_upstream`.
    pub revocation_unavailable: (),
    /// `session.recheck`: how often a session is looked up again while a handler waits for its end with
    /// `session.ended()`
    ///
    /// Value: 1s to 1h. Default: `1m`.
    pub recheck: (),
    /// `session.renew`: how old the browser's token must be before a renewed one is passed on
    ///
    /// Value: `always`, or 10ms to 720h. Default: `always`.
    pub renew: (),
    /// `session.answer_session`: who answers `GET session`, which pages poll: with `cached` this app where
    /// it knows the session, and the upstream otherwise; needs `cache`, or `source: local` with `renew`
    ///
    /// Value: `upstream` `cached`. Default: `upstream`.
    pub answer_session: (),
    /// `session.expose_session_token`: whether page scripts get the `sessionToken` that Robo adds to a
    /// database session, and the `token` of a session of Better Auth
    ///
    /// Value: `true` `false`. Default: `false`.
    pub expose_session_token: (),
    /// `session.claims`: with `source: local`: claims that `session.user` has besides `sub` as `id`,
    /// `name`, `email` and `picture` as `image`; such as `[role, "org.id"]`
    ///
    /// Value: list of names. Default: none.
    pub claims: (),
}

/// The block `cors: { .. }`: other origins that may use the sign-in routes.
pub struct Cors {
    /// `cors.origins`: pages of these other origins may use the sign-in routes, with their visitor's
    /// cookies
    ///
    /// Value: list of origins. Default: none.
    pub origins: (),
}

/// The block `rewrite: { .. }`: what changes in the upstream's responses.
pub struct Rewrite {
    /// `rewrite.location`: redirects to the upstream become redirects to this app
    ///
    /// Value: `true` `false`. Default: `true`.
    pub location: (),
    /// `rewrite.cookie_domain`: the `Domain` of its cookies; `auto`: dropped where this app is not in it
    ///
    /// Value: `auto` `keep` `drop` `"domain"`. Default: `auto`.
    pub cookie_domain: (),
    /// `rewrite.cookie_path`: their `Path` follows `base_path`
    ///
    /// Value: `true` `false`. Default: `true`.
    pub cookie_path: (),
    /// `rewrite.cookie_secure`: no `Secure` where `public_url` is http
    ///
    /// Value: `true` `false`. Default: `true`.
    pub cookie_secure: (),
    /// `rewrite.cookie_prefix`: no `__Secure-` and `__Host-` where `public_url` is http
    ///
    /// Value: `true` `false`. Default: `true`.
    pub cookie_prefix: (),
}

/// The block `jwks: { .. }`: the public keys that an issuer publishes.
pub struct Jwks {
    /// `jwks.url`: where the issuer publishes its [keys][published keys]: the `jwks_uri` of its
    /// `/.well-known/openid-configuration`. Only Better Auth has a default, `jwks` below its base path
    ///
    /// Value: http(s) URL. Default: by `kind`.
    pub url: (),
    /// `jwks.max_age`: how old the keys become before they are fetched again, which happens a little
    /// earlier in the background
    ///
    /// Value: 10ms to 24h. Default: `10m`.
    pub max_age: (),
    /// `jwks.cooldown`: the shortest time between two fetches for tokens that name unknown keys
    ///
    /// Value: 10ms to 1h. Default: `30s`.
    pub cooldown: (),
    /// `jwks.stale`: how much longer than `max_age` the keys are used while they cannot be fetched
    ///
    /// Value: 10ms to 720h, or `off`. Default: `24h`.
    pub stale: (),
    /// `jwks.leeway`: by how much the clocks of the issuer and of this app may differ
    ///
    /// Value: 10ms to 5m, or `off`. Default: `15s`.
    pub leeway: (),
    /// `jwks.algorithms`: the algorithms whose keys are used; keys of others are left out
    ///
    /// Value: list of `eddsa` `es256` `es384` `rs256` .. `ps512`. Default: `[eddsa, es256, rs256]`.
    pub algorithms: (),
}

/// The block `revocation: { .. }`: how the upstream revokes tokens.
pub struct Revocation {
    /// `revocation.webhook_secret`: opens `POST {base_path}/_revoke`, where the upstream revokes tokens
    /// with messages that are signed with it: 32 bytes or more, and not the secret of session tokens. It
    /// needs `session.revocation: store`
    ///
    /// Value: `env(..)`, or a list of them. Default: none.
    pub webhook_secret: (),
    /// `revocation.back_channel`: `POST {base_path}/_revoke` takes the logout tokens of `upstream.issuer`
    /// (OpenID Connect Back-Channel Logout 1.0). It needs `session.revocation: store`, tokens under
    /// [published keys], and `upstream.audience` other than `any`
    ///
    /// Value: `true` `false`. Default: `false`.
    pub back_channel: (),
    /// `revocation.keep`: how long the revocation of a message or a logout token is kept: at least as long
    /// as a token is good for, or the token is accepted again. The list has a place for a million entries
    ///
    /// Value: 1m to 9600h. Default: `9600h`.
    pub keep: (),
}

/// The block `sign_in_limit: { .. }`: how often visitors may try to sign in.
pub struct SignInLimit {
    /// `sign_in_limit.per_ip`: how often one address may try to sign in, to register or to reset a
    /// password; IPv6 addresses of one /64 count together. More is 429 `sign_in_limited`. See [sign-in
    /// limits]; behind a proxy it needs `trusted_proxies`
    ///
    /// Value: a number and a window of 1s to 24h, such as `"20/1m"`. Default: none.
    pub per_ip: (),
    /// `sign_in_limit.per_account`: how often this may be tried for one account, from all addresses
    /// together. Anyone can use them up, so that a visitor has to wait for the end of the window
    ///
    /// Value: a number and a window, such as `"10/5m"`. Default: none.
    pub per_account: (),
    /// `sign_in_limit.account_fields`: the fields of a form, of JSON or of the query that have the account,
    /// for `per_account`
    ///
    /// Value: list of names. Default: `[email, username, login, identifier, phone, phoneNumber,
    /// phone_number]`.
    pub account_fields: (),
}

/// The words of the block.
pub mod top {
    /// The words of `unauthenticated`.
    pub mod unauthenticated {
        pub use crate::config::Unauthenticated::Auto as auto;
        pub use crate::config::Unauthenticated::Redirect as redirect;
        pub use crate::config::Unauthenticated::Status as status;
    }
    /// The words of `routes`.
    pub mod routes {
        pub use crate::config::Routes::All as all;
        pub use crate::config::Routes::Strict as strict;
    }
}

/// The words of the block.
pub mod upstream {
    /// The words of `upstream.kind`.
    pub mod kind {
        pub use crate::config::Kind::Robo as robo;
        pub use crate::config::Kind::Authjs as authjs;
        pub use crate::config::Kind::NextAuthV4 as next_auth_v4;
        pub use crate::config::Kind::BetterAuth as better_auth;
        pub use crate::config::Kind::Generic as generic;
    }
    /// The words of `upstream.session_strategy`.
    pub mod session_strategy {
        pub use crate::config::Strategy::Jwt as jwt;
        pub use crate::config::Strategy::Database as database;
    }
    /// The words of `upstream.token`.
    pub mod token {
        pub use crate::config::TokenFormat::Encrypted as encrypted;
        pub use crate::config::TokenFormat::EncryptedV4 as encrypted_v4;
        pub use crate::config::TokenFormat::Hs256 as hs256;
        pub use crate::config::TokenFormat::Hs384 as hs384;
        pub use crate::config::TokenFormat::Hs512 as hs512;
        pub use crate::config::TokenFormat::Rs256 as rs256;
        pub use crate::config::TokenFormat::Rs384 as rs384;
        pub use crate::config::TokenFormat::Rs512 as rs512;
        pub use crate::config::TokenFormat::Ps256 as ps256;
        pub use crate::config::TokenFormat::Ps384 as ps384;
        pub use crate::config::TokenFormat::Ps512 as ps512;
        pub use crate::config::TokenFormat::Es256 as es256;
        pub use crate::config::TokenFormat::Es384 as es384;
        pub use crate::config::TokenFormat::Eddsa as eddsa;
        pub use crate::config::TokenFormat::Compact as compact;
        pub use crate::config::TokenFormat::Jwt as jwt;
        pub use crate::config::TokenFormat::Jwe as jwe;
        pub use crate::config::TokenFormat::Jwks as jwks;
    }
    /// The words of `upstream.audience`.
    pub mod audience {
        pub use crate::config::Expected::Any as any;
    }
    /// The words of `upstream.issuer`.
    pub mod issuer {
        pub use crate::config::Expected::Any as any;
    }
    /// The words of `upstream.host`.
    pub mod host {
        pub use crate::config::Host::Auto as auto;
        pub use crate::config::Host::Preserve as preserve;
        pub use crate::config::Host::Upstream as upstream;
    }
}

/// The words of the block.
pub mod session {
    /// The words of `session.source`.
    pub mod source {
        pub use crate::config::Source::Upstream as upstream;
        pub use crate::config::Source::Local as local;
    }
    /// The words of `session.store_unavailable`.
    pub mod store_unavailable {
        pub use crate::config::StoreUnavailable::Memory as memory;
        pub use crate::config::StoreUnavailable::AskUpstream as ask_upstream;
    }
    /// The words of `session.revocation`.
    pub mod revocation {
        pub use crate::config::RevocationList::Off as off;
        pub use crate::config::RevocationList::Store as store;
    }
    /// The words of `session.revocation_unavailable`.
    pub mod revocation_unavailable {
        pub use crate::config::RevocationUnavailable::Allow as allow;
        pub use crate::config::RevocationUnavailable::AskUpstream as ask_upstream;
        pub use crate::config::RevocationUnavailable::Refuse as refuse;
    }
    /// The words of `session.answer_session`.
    pub mod answer_session {
        pub use crate::config::AnswerSession::Upstream as upstream;
        pub use crate::config::AnswerSession::Cached as cached;
    }
}

/// The words of the block.
pub mod rewrite {
    /// The words of `rewrite.cookie_domain`.
    pub mod cookie_domain {
        pub use crate::config::CookieDomain::Auto as auto;
        pub use crate::config::CookieDomain::Keep as keep;
        pub use crate::config::CookieDomain::Drop as drop;
    }
}
