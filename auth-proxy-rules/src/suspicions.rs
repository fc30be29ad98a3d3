//! Finds values that are allowed and probably not meant, such as an option without effect.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::choices::{RevocationList, StoreUnavailable, Strategy, TokenFormat};
use crate::host::{bare_host, is_internal_host, is_loopback_host};
use crate::option::{Draft, OptionKey};
use crate::setting::Setting;
use crate::store_url::StoreUrl;

/// A value that is allowed and probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// The option to point at.
    pub option: OptionKey,
    /// Which item of a list to point at.
    pub item: Option<usize>,
    /// What is suspicious and what to write instead, without the values of URLs.
    pub message: &'static str,
}

impl Draft {
    /// Returns the suspicious values, as far as the values are known. A value that a variable gives at start is not.
    #[must_use]
    pub fn suspicions(&self) -> Vec<Suspicion> {
        let mut found = Vec::new();
        let mut add = |is_suspicious: bool, option, message| {
            if is_suspicious {
                found.push(Suspicion { option, item: None, message });
            }
        };
        add(
            matches!(&self.public_url, Setting::Set(url) if !url.https && !is_private_name(url.host())),
            OptionKey::PublicUrl,
            "over plain http, anyone between a visitor and this app can read the session cookies: write `https://`",
        );
        add(
            self.allow_http == Setting::Set(true) && self.base_url_needs_no_permission(),
            OptionKey::AllowHttp,
            "`allow_http` has no effect: `upstream.base_url` is https or internal, so remove `allow_http`, which would \
             allow plain http after a change of that URL",
        );
        add(
            self.expose_session_token == Setting::Set(true)
                && self.effective_strategy() == Setting::Set(Strategy::Jwt),
            OptionKey::ExposeSessionToken,
            "`expose_session_token` is for upstreams with database sessions: remove it, or set \
             `upstream.session_strategy: database`",
        );
        let is_other = !self.is_generic()
            && matches!(self.effective_token(), Setting::Set(format) if format != TokenFormat::Jwks);
        for (is_set, option) in [
            (matches!(self.jwks_url, Setting::Set(_)), OptionKey::JwksUrl),
            (matches!(self.jwks_max_age, Setting::Set(_)), OptionKey::JwksMaxAge),
            (matches!(self.jwks_cooldown, Setting::Set(_)), OptionKey::JwksCooldown),
            (matches!(self.jwks_stale, Setting::Set(_)), OptionKey::JwksStale),
            (matches!(self.jwks_leeway, Setting::Set(_)), OptionKey::JwksLeeway),
            (matches!(self.jwks_algorithms, Setting::Set(_)), OptionKey::JwksAlgorithms),
        ] {
            add(
                is_other && is_set,
                option,
                "the block `jwks` has no effect without `upstream.token: jwks`: add that, or remove the block",
            );
        }
        let is_https = matches!(&self.public_url, Setting::Set(url) if url.https);
        add(
            is_https && matches!(self.cookie_secure, Setting::Set(_)),
            OptionKey::CookieSecure,
            "`cookie_secure` has no effect where `public_url` is https: remove it",
        );
        add(
            is_https && matches!(self.cookie_prefix, Setting::Set(_)),
            OptionKey::CookiePrefix,
            "`cookie_prefix` has no effect where `public_url` is https: remove it",
        );
        add(
            matches!(self.cache_entries, Setting::Set(_))
                && self.secrets.is_empty()
                && matches!(self.effective_token(), Setting::Set(format) if format != TokenFormat::Jwks)
                // As many tokens are remembered with `session.renew`.
                && self.renew.with_default(Duration::ZERO) == Setting::Set(Duration::ZERO)
                && self.cache.with_default(Duration::ZERO) == Setting::Set(Duration::ZERO),
            OptionKey::CacheEntries,
            "`cache_entries` has no effect without a cache: remove it, or add `session: { cache: 30s }`",
        );
        add(
            self.store.value().is_some_and(StoreUrl::exposes_password),
            OptionKey::Store,
            "over plain `redis://`, anyone between this app and the store can read the password of the store, which is \
             not at an internal host: write `rediss://`",
        );
        add(
            self.store_unavailable == Setting::Set(StoreUnavailable::AskUpstream)
                && self.cache.with_default(Duration::ZERO) == Setting::Set(Duration::ZERO),
            OptionKey::StoreUnavailable,
            "`store_unavailable` has no effect without a cache: remove it, or add `session: { cache: 30s }`",
        );
        let keeps_no_list =
            self.revocation.with_default(RevocationList::Off) == Setting::Set(RevocationList::Off);
        add(
            keeps_no_list && matches!(self.revocation_unavailable, Setting::Set(_)),
            OptionKey::RevocationUnavailable,
            "`revocation_unavailable` has no effect without a list of revoked tokens: remove it, or add \
             `session: { revocation: store }`",
        );
        add(
            self.keeps_list() && self.revokes_nothing(),
            OptionKey::Revocation,
            "`revocation` has no effect: no token is decoded here, and the upstream knows which sessions have ended, so \
             remove it, or add `revocation: { webhook_secret: env(\"AUTH_REVOKE_SECRET\") }`",
        );
        add(
            self.per_account == Setting::Unset && matches!(self.account_fields, Setting::Set(_)),
            OptionKey::AccountFields,
            "`account_fields` has no effect without `per_account`: remove it, or add `per_account: \"10/5m\"`",
        );
        found.extend(items(&self.cors_origins, |origin| !origin.https && !is_private_name(origin.host())).map(
            |item| Suspicion {
                option: OptionKey::CorsOrigins,
                item: Some(item),
                message: "anyone between a visitor and a page of plain http can change that page and use the visitor's \
                          session: write `https://`",
            },
        ));
        // A list of loopback hosts alone says that no other host is accepted.
        let hosts = self.hosts.value().map(Vec::as_slice).unwrap_or_default();
        let lists_others = hosts.iter().any(|host| !is_loopback_host(host));
        found.extend(items(&self.hosts, |host| lists_others && is_loopback_host(host)).map(|item| {
            Suspicion {
                option: OptionKey::Hosts,
                item: Some(item),
                message: "loopback hosts are accepted without being listed: remove it",
            }
        }));
        found
    }

    /// Whether no token can come on the list of revoked tokens: none is decoded here, and no message names one.
    fn revokes_nothing(&self) -> bool {
        self.secrets.is_empty()
            && matches!(self.effective_token(), Setting::Set(format) if format != TokenFormat::Jwks)
            && self.webhook_secrets.is_empty()
            && matches!(self.back_channel, Setting::Unset | Setting::Set(false))
    }

    fn base_url_needs_no_permission(&self) -> bool {
        self.base_url.value().is_some_and(|url| url.origin.https || is_internal_host(url.origin.host()))
    }
}

/// Whether plain http to a host is probably meant: an internal host, a name of a home network (RFC 8375) or of a test
/// (RFC 6761, section 6.2), or an address that a provider or a mesh network shares (RFC 6598).
fn is_private_name(host: &str) -> bool {
    let name = bare_host(host).trim_end_matches('.').to_ascii_lowercase();
    let is_shared = name.parse::<Ipv4Addr>().is_ok_and(|ip| {
        let [first, second, ..] = ip.octets();
        first == 100 && (64..128).contains(&second)
    });
    is_internal_host(host) || is_shared || [".test", ".home.arpa"].iter().any(|end| name.ends_with(end))
}

/// The places of the items of a list that are suspicious.
fn items<T>(list: &Setting<Vec<T>>, is_suspicious: impl Fn(&T) -> bool) -> impl Iterator<Item = usize> {
    let items = list.value().map(Vec::as_slice).unwrap_or_default();
    items.iter().enumerate().filter(move |(_, item)| is_suspicious(item)).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suspicious(values: &[(OptionKey, &str)]) -> Vec<OptionKey> {
        let mut draft = Draft::default();
        for (option, text) in values {
            draft.set(*option, text).unwrap();
        }
        draft.suspicions().iter().map(|found| found.option).collect()
    }

    const UPSTREAM: (OptionKey, &str) = (OptionKey::BaseUrl, "https://auth.example.com");
    const CACHE: (OptionKey, &str) = (OptionKey::Cache, "30s");
    const HTTPS: (OptionKey, &str) = (OptionKey::PublicUrl, "https://app.example.com");

    #[test]
    fn each_suspicious_value_is_found() {
        for (option, others, text) in [
            (OptionKey::PublicUrl, &[UPSTREAM][..], "http://app.example.com"),
            (OptionKey::PublicUrl, &[UPSTREAM], "http://100.128.0.1"),
            (OptionKey::CorsOrigins, &[UPSTREAM], "https://a.example.com, http://b.example.com"),
            (OptionKey::Hosts, &[UPSTREAM], "app.example.com, localhost:3000"),
            (OptionKey::AllowHttp, &[UPSTREAM], "true"),
            (OptionKey::AllowHttp, &[(OptionKey::BaseUrl, "http://auth")], "true"),
            (OptionKey::ExposeSessionToken, &[UPSTREAM], "true"),
            (OptionKey::CookieSecure, &[UPSTREAM, HTTPS], "false"),
            (OptionKey::CookiePrefix, &[UPSTREAM, HTTPS], "true"),
            (OptionKey::CacheEntries, &[UPSTREAM], "5"),
            (OptionKey::Store, &[UPSTREAM, CACHE], "redis://:p@cache.example.com"),
            (OptionKey::StoreUnavailable, &[UPSTREAM], "ask_upstream"),
            (OptionKey::StoreUnavailable, &[UPSTREAM, (OptionKey::Cache, "off")], "ask_upstream"),
            (OptionKey::Revocation, &[UPSTREAM], "store"),
            (OptionKey::Revocation, &[UPSTREAM, (OptionKey::Kind, "better_auth")], "store"),
            (OptionKey::Revocation, &[UPSTREAM, (OptionKey::BackChannel, "false")], "store"),
            (OptionKey::RevocationUnavailable, &[UPSTREAM], "refuse"),
            (OptionKey::RevocationUnavailable, &[UPSTREAM, (OptionKey::Revocation, "off")], "allow"),
            (OptionKey::JwksUrl, &[UPSTREAM], "https://auth.example.com/keys"),
            (OptionKey::JwksAlgorithms, &[UPSTREAM], "es256"),
        ] {
            let mut values = others.to_vec();
            values.push((option, text));
            assert_eq!(suspicious(&values), [option], "{option}: {text}");
        }
    }

    #[test]
    fn values_that_are_meant_are_not_suspicious() {
        for (option, others, text) in [
            (OptionKey::PublicUrl, &[UPSTREAM][..], "http://localhost:3000"),
            (OptionKey::PublicUrl, &[UPSTREAM], "http://app.internal"),
            (OptionKey::PublicUrl, &[UPSTREAM], "http://app.test"),
            (OptionKey::PublicUrl, &[UPSTREAM], "http://nas.home.arpa:8080"),
            (OptionKey::PublicUrl, &[UPSTREAM], "http://100.64.0.1"),
            (OptionKey::CorsOrigins, &[UPSTREAM], "http://localhost:3000"),
            (OptionKey::Hosts, &[UPSTREAM], "app.example.com"),
            (OptionKey::Hosts, &[UPSTREAM], "localhost:3000, 127.0.0.1:3000"),
            (OptionKey::AllowHttp, &[(OptionKey::BaseUrl, "http://auth.example.com")], "true"),
            (OptionKey::AllowHttp, &[UPSTREAM], "false"),
            (OptionKey::ExposeSessionToken, &[UPSTREAM, (OptionKey::Strategy, "database")], "true"),
            (OptionKey::ExposeSessionToken, &[UPSTREAM], "false"),
            (OptionKey::CookieSecure, &[UPSTREAM, (OptionKey::PublicUrl, "http://localhost:3000")], "false"),
            (OptionKey::CookiePrefix, &[UPSTREAM], "false"),
            (OptionKey::CacheEntries, &[UPSTREAM, (OptionKey::Cache, "30s")], "5"),
            (OptionKey::CacheEntries, &[UPSTREAM, (OptionKey::Renew, "1h")], "5"),
            (OptionKey::CacheEntries, &[(OptionKey::Kind, "generic")], "5"),
            (OptionKey::Store, &[UPSTREAM, CACHE], "rediss://:p@cache.example.com"),
            (OptionKey::Store, &[UPSTREAM, CACHE], "redis://:p@cache.internal"),
            (OptionKey::Store, &[UPSTREAM, CACHE], "redis://cache.example.com"),
            (OptionKey::StoreUnavailable, &[UPSTREAM, CACHE], "ask_upstream"),
            (OptionKey::StoreUnavailable, &[UPSTREAM], "memory"),
            (OptionKey::Revocation, &[UPSTREAM, (OptionKey::Token, "jwks")], "store"),
            (OptionKey::Revocation, &[(OptionKey::Kind, "generic")], "store"),
            (OptionKey::Revocation, &[UPSTREAM], "off"),
            (OptionKey::JwksUrl, &[UPSTREAM, (OptionKey::Token, "jwks")], "https://auth.example.com/keys"),
        ] {
            let mut values = others.to_vec();
            values.push((option, text));
            assert_eq!(suspicious(&values), [], "{option}: {text}");
        }
        for (option, optional) in [(OptionKey::Secret, true), (OptionKey::WebhookSecret, false)] {
            let mut listing = Draft::default();
            listing.set(OptionKey::Revocation, "store").unwrap();
            listing.set(OptionKey::RevocationUnavailable, "refuse").unwrap();
            listing.set_later(option, optional);
            assert_eq!(listing.suspicions(), [], "a token may come on the list");
        }
        let mut decoding = Draft::default();
        decoding.set_later(OptionKey::Secret, false);
        decoding.set(OptionKey::CacheEntries, "5").unwrap();
        assert_eq!(decoding.suspicions(), [], "the cache of verified tokens has this size too");
    }

    #[test]
    fn values_that_a_variable_gives_at_start_are_not_suspicious() {
        let mut draft = Draft::default();
        for option in OptionKey::ALL {
            draft.set_later(*option, false);
        }
        assert_eq!(draft.suspicions(), []);
    }
}
