///A login shared with every app behind the same Auth.js server.
/**
# Configuration

| option | value |
|---|---|
| `base_path` | `"/a"` |
| `upstream.timeout` | `5` |

Defaults:

| option | default |
|---|---|
| `public_url` | from the request |
| `hosts` | none |
| `upstream.kind` | Auth.js v5 or Robo.js |
| `upstream.base_url` | required |
| `upstream.base_path` | `"/a"` |
| `upstream.headers` | `{}` |
| `upstream.cookie_name` | by `kind` |
| `upstream.secret` | none |
| `upstream.session_strategy` | `jwt` |
| `upstream.token` | `encrypted` |
| `upstream.audience` | `any` |
| `upstream.issuer` | `any` |
| `upstream.public_origins` | none |
| `upstream.host` | `auto` |
| `upstream.fetch` | a pooled hyper client |
| `upstream.connect_timeout` | `2s`, at most `upstream.timeout` |
| `upstream.concurrency` | `128` |
| `upstream.queue` | `1_000` |
| `upstream.retries` | `2` |
| `upstream.circuit_breaker` | `5` |
| `upstream.body_limit` | `1MiB` |
| `upstream.allow_http` | `false` |
| `session.source` | `upstream` |
| `session.cache` | `off` |
| `session.cache_entries` | `10_000` |
| `session.stale_if_error` | `off` |
| `session.store` | none |
| `session.store_unavailable` | `memory` |
| `session.revocation` | `off` |
| `session.revocation_unavailable` | `ask_upstream` |
| `session.recheck` | `1m` |
| `session.renew` | `always` |
| `session.answer_session` | `upstream` |
| `session.expose_session_token` | `false` |
| `session.claims` | none |
| `unauthenticated` | `auto` |
| `sign_in_path` | `"/a/signin"` |
| `trusted_proxies` | none |
| `client_js` | `true` |
| `cors.origins` | none |
| `rewrite.location` | `true` |
| `rewrite.cookie_domain` | `auto` |
| `rewrite.cookie_path` | `true` |
| `rewrite.cookie_secure` | `true` |
| `rewrite.cookie_prefix` | `true` |
| `jwks.url` | by `kind` |
| `jwks.max_age` | `10m` |
| `jwks.cooldown` | `30s` |
| `jwks.stale` | `24h` |
| `jwks.leeway` | `15s` |
| `jwks.algorithms` | `[eddsa, es256, rs256]` |
| `revocation.webhook_secret` | none |
| `revocation.back_channel` | `false` |
| `revocation.keep` | `9600h` |
| `sign_in_limit.per_ip` | none |
| `sign_in_limit.per_account` | none |
| `sign_in_limit.account_fields` | `[email, username, login, identifier, phone, phoneNumber, phone_number]` |
| `routes` | `all` |
*/
pub struct Auth(::auth_proxy::Proxy<Auth>);
#[automatically_derived]
impl ::auth_proxy::AuthProxy for Auth {
    type User = A;
    type Claims = ::auth_proxy::Claims;
}
#[automatically_derived]
impl ::auth_proxy::__private::Declared for Auth {
    const SPEC: &'static ::auth_proxy::__private::Spec = &::auth_proxy::__private::Spec {
        name: "Auth",
        options: &[
            (
                ::auth_proxy::__private::OptionKey::BasePath,
                ::auth_proxy::__private::Value::Literal("/a"),
            ),
            (
                ::auth_proxy::__private::OptionKey::Timeout,
                ::auth_proxy::__private::Value::Literal("5"),
            ),
        ],
        headers: &[],
        secrets: &[],
        webhook_secrets: &[],
    };
    const VARIABLES: &'static [::auth_proxy::options::Variable] = &[];
    fn from_proxy(__auth_proxy_inner: ::auth_proxy::Proxy<Self>) -> Self {
        Auth(__auth_proxy_inner)
    }
    fn proxy(&self) -> &::auth_proxy::Proxy<Self> {
        &self.0
    }
}
#[automatically_derived]
impl ::auth_proxy::__private::ProxyArgument for Auth {}
#[automatically_derived]
impl ::core::clone::Clone for Auth {
    fn clone(&self) -> Self {
        Auth(::core::clone::Clone::clone(&self.0))
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for Auth {
    fn fmt(
        &self,
        __auth_proxy_f: &mut ::core::fmt::Formatter<'_>,
    ) -> ::core::fmt::Result {
        ::core::fmt::Debug::fmt(&self.0, __auth_proxy_f)
    }
}
#[automatically_derived]
impl ::core::ops::Deref for Auth {
    type Target = ::auth_proxy::Proxy<Auth>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
#[automatically_derived]
impl Auth {
    /// The environment variables that [`from_env`](Self::from_env) reads, with the options that they set.
    pub const VARIABLES: &'static [::auth_proxy::options::Variable] = <Self as ::auth_proxy::__private::Declared>::VARIABLES;
    /// The text of a `.env.example` with the variables of [`VARIABLES`](Self::VARIABLES): what each is for,
    /// whether it is required, and its default.
    #[must_use]
    pub fn env_example() -> ::std::string::String {
        ::auth_proxy::__private::env_example::<Self>()
    }
    /// Builds the proxy, reading every environment variable that the declaration names.
    ///
    /// # Errors
    ///
    /// Lists every variable that is missing and every value that breaks a rule, by name and
    /// without the values.
    pub fn from_env() -> ::core::result::Result<Self, ::auth_proxy::ConfigError> {
        ::auth_proxy::__private::from_env::<Self>()
    }
    /// Returns a builder that starts from the declaration. Options set on it replace the declared ones.
    #[must_use]
    pub fn builder() -> ::auth_proxy::options::Builder<Self> {
        ::auth_proxy::__private::builder::<Self>()
    }
}
const _: () = {
    struct AuthProxyOptions {
        base_path: (),
        public_url: (),
        hosts: (),
        unauthenticated: (),
        sign_in_path: (),
        trusted_proxies: (),
        client_js: (),
        routes: (),
        upstream: (),
        session: (),
        cors: (),
        rewrite: (),
        jwks: (),
        revocation: (),
        sign_in_limit: (),
    }
    fn unknown_word(__auth_proxy_possible: AuthProxyOptions) {
        __auth_proxy_possible.bas_path;
    }
};
::core::compile_error! {
    "`upstream.timeout`: the number needs a unit, one of `ms`, `s`, `m`, `h`: expected a duration such as `500ms`, `5s` or `2m`: write `5s`"
}
::core::compile_error! {
    "`upstream.base_url` is missing: write `base_url: env(\"AUTH_UPSTREAM_URL\")`"
}
