//! The builder's methods for the options of an `auth_proxy!` block: one for each option, named after it.

use std::time::Duration;

use zeroize::Zeroizing;

use super::Builder;
use crate::config::{
    AnswerSession, CookieDomain, Expected, Host, Kind, RevocationList, RevocationUnavailable, Routes, Source,
    StoreUnavailable, Strategy, TokenFormat, Unauthenticated,
};
use crate::provider::AuthProxy;
use crate::upstream::{DynFetch, Fetch};

/// One method for each row of the table of options in the rules.
macro_rules! methods {
    ($($(#[$meta:meta])+ $name:ident $field:ident $method:ident $input:tt;)+) => {
        impl<P: AuthProxy> Builder<P> {
            $(method! { $(#[$meta])+ $name $field $method $input })+
        }
    };
}

macro_rules! method {
    ($(#[$meta:meta])+ $name:ident $field:ident $method:ident text) => {
        $(#[$meta])+
        #[must_use]
        pub fn $method(mut self, value: impl Into<String>) -> Self {
            self.options.set(auth_proxy_rules::OptionKey::$name, |draft| draft.$field(value.into()));
            self
        }
    };
    ($(#[$meta:meta])+ $name:ident $field:ident $method:ident list) => {
        $(#[$meta])+
        #[must_use]
        pub fn $method<T: AsRef<str>>(mut self, items: impl IntoIterator<Item = T>) -> Self {
            let items = items.into_iter().map(|item| item.as_ref().to_owned()).collect();
            self.options.set(auth_proxy_rules::OptionKey::$name, |draft| draft.$field(items));
            self
        }
    };
    ($(#[$meta:meta])+ $name:ident $field:ident $method:ident $value:ty) => {
        $(#[$meta])+
        #[must_use]
        pub fn $method(mut self, value: $value) -> Self {
            self.options.set(auth_proxy_rules::OptionKey::$name, |draft| draft.$field(value));
            self
        }
    };
}

auth_proxy_rules::typed_options!(methods);

/// Options by name, and the options that are not single values.
impl<P: AuthProxy> Builder<P> {
    /// Sets an option by its full name, such as `upstream.timeout`, with a text as its variable would have it: `5s`, or
    /// several items with commas between them. For a program that reads its settings from a file.
    ///
    /// `upstream.secret`, `upstream.headers`, `upstream.fetch` and `revocation.webhook_secret` have no text form: call
    /// the method of that name. [`build`](Self::build) reports a name that is no option.
    ///
    /// ```
    /// use auth_proxy::auth_proxy;
    ///
    /// auth_proxy! {
    ///     pub struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
    /// }
    ///
    /// let settings = [("upstream.base_url", "http://127.0.0.1:3001"), ("session.cache", "30s")];
    /// let builder = settings.iter().fold(Auth::builder(), |builder, (name, text)| builder.option(name, text));
    /// let auth = builder.build()?;
    ///
    /// let error = auth_builder_with_a_mistake().build().unwrap_err();
    /// assert_eq!(error.problems()[0].message(), "there is no such option: write `session.cache`");
    /// # fn auth_builder_with_a_mistake() -> auth_proxy::options::Builder<Auth> {
    /// #     Auth::builder().option("upstream.base_url", "http://127.0.0.1:3001").option("session.cahce", "30s")
    /// # }
    /// # let _ = auth;
    /// # Ok::<(), auth_proxy::ConfigError>(())
    /// ```
    #[must_use]
    pub fn option(mut self, name: &str, text: &str) -> Self {
        self.options.set_by_name(name, text);
        self
    }

    /// `upstream.headers`: adds headers to every request to the upstream. A declared header of the same name is
    /// replaced.
    #[must_use]
    pub fn upstream_headers<N: Into<String>, V: Into<String>>(
        mut self,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let headers = headers.into_iter().map(|(name, value)| (name.into(), Zeroizing::new(value.into())));
        self.options.headers.extend(headers);
        self
    }

    /// `upstream.secret`: the secrets, newest first. An empty list turns the local decoding of tokens off.
    ///
    /// Give each secret alone: the form of `BETTER_AUTH_SECRETS`, `2:new,1:old`, is read from variables only.
    #[must_use]
    pub fn upstream_secret<T: Into<String>>(mut self, secrets: impl IntoIterator<Item = T>) -> Self {
        let secrets = secrets.into_iter().map(|secret| Zeroizing::new(secret.into()));
        self.options.secrets = Some(secrets.collect());
        self
    }

    /// `revocation.webhook_secret`: the secrets that messages to `{base_path}/_revoke` may be signed with. An empty list
    /// turns the route off.
    #[must_use]
    pub fn revocation_webhook_secret<T: Into<String>>(
        mut self,
        secrets: impl IntoIterator<Item = T>,
    ) -> Self {
        let secrets = secrets.into_iter().map(|secret| Zeroizing::new(secret.into()));
        self.options.webhook_secrets = Some(secrets.collect());
        self
    }

    /// `upstream.fetch`: the client that sends requests to the upstream.
    #[must_use]
    pub fn upstream_fetch(mut self, fetch: impl Fetch) -> Self {
        self.fetch = Some(DynFetch::new(fetch));
        self
    }
}
