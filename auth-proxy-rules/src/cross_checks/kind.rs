//! Checks the options that only some kinds of upstream have.

use super::Problems;
use crate::choices::{Kind, Source, Strategy, TokenFormat};
use crate::option::{Draft, OptionKey};
use crate::problem::Place;
use crate::setting::Setting;

impl Draft {
    pub(super) fn check_kind(&self, problems: &mut Problems) {
        match &self.kind {
            Setting::Set(Kind::BetterAuth) => self.check_better_auth(problems),
            Setting::Set(_) | Setting::Unset => self.check_others(problems),
            Setting::Optional | Setting::Deferred => {}
        }
    }

    fn check_better_auth(&self, problems: &mut Problems) {
        if let Setting::Set(format) = self.token
            && !format.is_cookie_cache()
            && format != TokenFormat::Jwks
        {
            problems.add(
                Place::Option(OptionKey::Token),
                format!(
                    "`{format}` is no format of Better Auth: write `compact`, `jwt` or `jwe`, the `strategy` of its \
                     `cookieCache`, or `jwks` for keys of its plugin jwt, or remove `upstream.token`"
                ),
            );
        }
        if self.strategy == Setting::Set(Strategy::Jwt) {
            problems.add(
                Place::Option(OptionKey::Strategy),
                "the session cookie of Better Auth is a key into its database: remove `upstream.session_strategy`",
            );
        }
        if self.source == Setting::Set(Source::Local) {
            problems.add(
                Place::Option(OptionKey::Source),
                "sessions of Better Auth are read here whenever its cookie cache is valid, and from the upstream \
                 otherwise: remove `session.source`",
            );
        }
    }

    fn check_others(&self, problems: &mut Problems) {
        if let Setting::Set(format) = self.token
            && format.is_cookie_cache()
        {
            problems.add(
                Place::Option(OptionKey::Token),
                format!(
                    "`{format}` is a format of Better Auth: add `kind: better_auth`, or remove `upstream.token`"
                ),
            );
        }
    }

    /// Whether the configuration says that the session cookie has no token that can be decoded.
    pub(super) fn is_database(&self) -> bool {
        self.strategy == Setting::Set(Strategy::Database)
            && !matches!(self.kind, Setting::Set(Kind::BetterAuth | Kind::Generic))
    }
}
