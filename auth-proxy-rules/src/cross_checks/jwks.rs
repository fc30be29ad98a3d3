//! The rules between options for published keys (`upstream.token: jwks`) and for `kind: generic`.

use super::Problems;
use crate::choices::{Kind, Source, Strategy, TokenFormat};
use crate::host::is_internal_host;
use crate::option::{Draft, OptionKey};
use crate::problem::Place;
use crate::setting::Setting;
use crate::words_or_text::Expected;

impl Draft {
    pub(super) fn check_jwks(&self, problems: &mut Problems) {
        if let Some(url) = self.jwks_url.value() {
            let allowed = self.allow_http.is_read_at_start() || self.allow_http == Setting::Set(true);
            if !url.origin.https && !allowed && !is_internal_host(url.origin.host()) {
                problems.add(
                    Place::Option(OptionKey::JwksUrl),
                    "over plain http to a public host anyone on the way can replace the keys, and sign in as anyone: \
                     write `https://`, or set `upstream.allow_http: true`",
                );
            }
        }
        if self.effective_token() != Setting::Set(TokenFormat::Jwks) || self.is_database() {
            return;
        }
        // Only Better Auth has a known address.
        let has_default = self.kind == Setting::Set(Kind::BetterAuth) || self.kind.is_read_at_start();
        if self.jwks_url == Setting::Unset && !has_default {
            let place = if self.token == Setting::Unset { OptionKey::Kind } else { OptionKey::Token };
            problems.add(
                Place::Option(place),
                "the address of the issuer's public keys is missing: add \
                 `jwks: { url: \"https://auth.example.com/.well-known/jwks.json\" }`, the `jwks_uri` of its \
                 `/.well-known/openid-configuration`",
            );
        }
        if self.issuer == Setting::Set(Expected::Any) {
            problems.add(
                Place::Option(OptionKey::Issuer),
                "`jwks` needs the issuer itself: one address may publish keys for several issuers, and `any` would accept \
                 the tokens of all of them",
            );
        }
        let is_better_auth = self.kind == Setting::Set(Kind::BetterAuth);
        if !is_better_auth && self.secrets.iter().any(|secret| *secret != Setting::Optional) {
            problems.add(
                Place::Option(OptionKey::Secret),
                "`jwks` verifies tokens with published keys and needs no secret: remove `upstream.secret`",
            );
        }
    }

    /// Options that an upstream without sign-in routes does not have.
    pub(super) fn check_generic(&self, problems: &mut Problems) {
        if !self.is_generic() {
            return;
        }
        let mut refuse = |is_wrong: bool, option, message: &str| {
            if is_wrong {
                problems.add(Place::Option(option), message);
            }
        };
        refuse(
            self.base_url != Setting::Unset && self.base_url != Setting::Optional,
            OptionKey::BaseUrl,
            "`kind: generic` is asked for its keys only: remove `upstream.base_url`, and write their address as `jwks.url`",
        );
        refuse(
            matches!(self.token, Setting::Set(format) if format != TokenFormat::Jwks),
            OptionKey::Token,
            "`kind: generic` is for tokens under published keys: remove `upstream.token`, or write `jwks`",
        );
        refuse(
            self.strategy == Setting::Set(Strategy::Database),
            OptionKey::Strategy,
            "`kind: generic` has tokens and no database that is asked: remove `upstream.session_strategy`",
        );
        refuse(
            self.source == Setting::Set(Source::Upstream),
            OptionKey::Source,
            "`kind: generic` has no session route, so sessions are made of the tokens: remove `session.source`",
        );
        for (is_set, option) in [
            (matches!(self.per_ip, Setting::Set(_)), OptionKey::PerIp),
            (matches!(self.per_account, Setting::Set(_)), OptionKey::PerAccount),
        ] {
            refuse(is_set, option, "`kind: generic` has no sign-in to limit: remove `sign_in_limit`");
        }
    }
}
