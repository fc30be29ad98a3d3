/// Documented.
#[must_use]
/**
# Configuration

| option | value |
|---|---|
| `base_path` | `"/auth"` |
| `hosts` | `["app.example.com", "app.example.com:8443"]` |
| `upstream.kind` | `authjs` |
| `upstream.base_url` | variable `URL`, or else `"https://auth.example.com"` |
| `upstream.headers["x-api-key"]` | variable `KEY`, which may be unset |
| `upstream.headers["x-tenant"]` | a text in the block |
| `upstream.secret` | variable `A`, which is required |
| `upstream.secret` | variable `B`, which may be unset |
| `upstream.audience` | `any` |
| `upstream.issuer` | variable `ISSUER`, which may be unset |
| `upstream.public_origins` | `["https://auth.example.com"]` |
| `upstream.fetch` | the app's client |
| `upstream.timeout` | `500ms` |
| `upstream.body_limit` | `64KiB` |
| `upstream.allow_http` | `true` |
| `session.source` | `local` |
| `session.renew` | `1h` |
| `session.expose_session_token` | `false` |

Defaults:

| option | default |
|---|---|
| `public_url` | from the request |
| `upstream.base_path` | `"/auth"` |
| `upstream.cookie_name` | by `kind` |
| `upstream.session_strategy` | `jwt` |
| `upstream.token` | `encrypted` |
| `upstream.host` | `auto` |
| `upstream.connect_timeout` | `upstream.timeout` |
| `upstream.concurrency` | `128` |
| `upstream.queue` | `1_000` |
| `upstream.retries` | `2` |
| `upstream.circuit_breaker` | `5` |
| `session.cache` | `off` |
| `session.cache_entries` | `10_000` |
| `session.stale_if_error` | `off` |
| `session.store` | none |
| `session.store_unavailable` | `memory` |
| `session.revocation` | `off` |
| `session.revocation_unavailable` | `ask_upstream` |
| `session.recheck` | `1m` |
| `session.answer_session` | `upstream` |
| `session.claims` | none |
| `unauthenticated` | `auto` |
| `sign_in_path` | `"/auth/signin"` |
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
pub(crate) struct Login(::auth_proxy::Proxy<Login>);
#[automatically_derived]
impl ::auth_proxy::AuthProxy for Login {
    type User = AppUser;
    type Claims = Vec<AppClaims>;
}
#[automatically_derived]
impl ::auth_proxy::__private::Declared for Login {
    const SPEC: &'static ::auth_proxy::__private::Spec = &::auth_proxy::__private::Spec {
        name: "Login",
        options: &[
            (
                ::auth_proxy::__private::OptionKey::BasePath,
                ::auth_proxy::__private::Value::Literal("/auth"),
            ),
            (
                ::auth_proxy::__private::OptionKey::Hosts,
                ::auth_proxy::__private::Value::Literal(
                    "app.example.com,app.example.com:8443",
                ),
            ),
            (
                ::auth_proxy::__private::OptionKey::Kind,
                ::auth_proxy::__private::Value::Literal("authjs"),
            ),
            (
                ::auth_proxy::__private::OptionKey::Audience,
                ::auth_proxy::__private::Value::Literal("any"),
            ),
            (
                ::auth_proxy::__private::OptionKey::Issuer,
                ::auth_proxy::__private::Value::Env {
                    name: "ISSUER",
                    default: ::core::option::Option::None,
                    optional: true,
                },
            ),
            (
                ::auth_proxy::__private::OptionKey::PublicOrigins,
                ::auth_proxy::__private::Value::Literal("https://auth.example.com"),
            ),
            (
                ::auth_proxy::__private::OptionKey::BaseUrl,
                ::auth_proxy::__private::Value::Env {
                    name: "URL",
                    default: ::core::option::Option::Some("https://auth.example.com"),
                    optional: false,
                },
            ),
            (
                ::auth_proxy::__private::OptionKey::Timeout,
                ::auth_proxy::__private::Value::Literal("500ms"),
            ),
            (
                ::auth_proxy::__private::OptionKey::BodyLimit,
                ::auth_proxy::__private::Value::Literal("64KiB"),
            ),
            (
                ::auth_proxy::__private::OptionKey::AllowHttp,
                ::auth_proxy::__private::Value::Literal("true"),
            ),
            (
                ::auth_proxy::__private::OptionKey::Source,
                ::auth_proxy::__private::Value::Literal("local"),
            ),
            (
                ::auth_proxy::__private::OptionKey::Renew,
                ::auth_proxy::__private::Value::Literal("1h"),
            ),
            (
                ::auth_proxy::__private::OptionKey::ExposeSessionToken,
                ::auth_proxy::__private::Value::Literal("false"),
            ),
        ],
        headers: &[
            (
                "x-api-key",
                ::auth_proxy::__private::Value::Env {
                    name: "KEY",
                    default: ::core::option::Option::None,
                    optional: true,
                },
            ),
            ("x-tenant", ::auth_proxy::__private::Value::Literal("a")),
        ],
        secrets: &[
            ::auth_proxy::__private::Value::Env {
                name: "A",
                default: ::core::option::Option::None,
                optional: false,
            },
            ::auth_proxy::__private::Value::Env {
                name: "B",
                default: ::core::option::Option::None,
                optional: true,
            },
        ],
        webhook_secrets: &[],
    };
    const VARIABLES: &'static [::auth_proxy::options::Variable] = &[
        ::auth_proxy::options::Variable::new(
            "URL",
            "upstream.base_url",
            false,
            ::core::option::Option::Some("https://auth.example.com"),
        ),
        ::auth_proxy::options::Variable::new(
            "KEY",
            "upstream.headers[\"x-api-key\"]",
            false,
            ::core::option::Option::None,
        ),
        ::auth_proxy::options::Variable::new(
            "A",
            "upstream.secret",
            true,
            ::core::option::Option::None,
        ),
        ::auth_proxy::options::Variable::new(
            "B",
            "upstream.secret",
            false,
            ::core::option::Option::None,
        ),
        ::auth_proxy::options::Variable::new(
            "ISSUER",
            "upstream.issuer",
            false,
            ::core::option::Option::None,
        ),
    ];
    fn from_proxy(__auth_proxy_inner: ::auth_proxy::Proxy<Self>) -> Self {
        Login(__auth_proxy_inner)
    }
    fn proxy(&self) -> &::auth_proxy::Proxy<Self> {
        &self.0
    }
    fn fetch() -> ::core::option::Option<::auth_proxy::__private::DynFetch> {
        ::core::option::Option::Some(
            ::auth_proxy::__private::DynFetch::new(client::<A, B>(1, 2)),
        )
    }
}
#[automatically_derived]
impl ::auth_proxy::__private::ProxyArgument for Login {}
#[automatically_derived]
impl ::core::clone::Clone for Login {
    fn clone(&self) -> Self {
        Login(::core::clone::Clone::clone(&self.0))
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for Login {
    fn fmt(
        &self,
        __auth_proxy_f: &mut ::core::fmt::Formatter<'_>,
    ) -> ::core::fmt::Result {
        ::core::fmt::Debug::fmt(&self.0, __auth_proxy_f)
    }
}
#[automatically_derived]
impl ::core::ops::Deref for Login {
    type Target = ::auth_proxy::Proxy<Login>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
#[automatically_derived]
impl Login {
    /// The environment variables that [`from_env`](Self::from_env) reads, with the options that they set.
    pub(crate) const VARIABLES: &'static [::auth_proxy::options::Variable] = <Self as ::auth_proxy::__private::Declared>::VARIABLES;
    /// The text of a `.env.example` with the variables of [`VARIABLES`](Self::VARIABLES): what each is for,
    /// whether it is required, and its default.
    #[must_use]
    pub(crate) fn env_example() -> ::std::string::String {
        ::auth_proxy::__private::env_example::<Self>()
    }
    /// Builds the proxy, reading every environment variable that the declaration names.
    ///
    /// # Errors
    ///
    /// Lists every variable that is missing and every value that breaks a rule, by name and
    /// without the values.
    pub(crate) fn from_env() -> ::core::result::Result<Self, ::auth_proxy::ConfigError> {
        ::auth_proxy::__private::from_env::<Self>()
    }
    /// Returns a builder that starts from the declaration. Options set on it replace the declared ones.
    #[must_use]
    pub(crate) fn builder() -> ::auth_proxy::options::Builder<Self> {
        ::auth_proxy::__private::builder::<Self>()
    }
}
