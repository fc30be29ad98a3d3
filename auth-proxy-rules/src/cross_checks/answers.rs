//! The rules between options for `session.answer_session`.

use std::time::Duration;

use super::Problems;
use crate::choices::{AnswerSession, Source};
use crate::option::{Draft, OptionKey};
use crate::problem::Place;
use crate::setting::Setting;

impl Draft {
    /// `cached` needs something that can answer, and must neither sign visitors out nor show less than the upstream does.
    pub(super) fn check_answers(&self, problems: &mut Problems) {
        const OPTION: OptionKey = OptionKey::AnswerSession;
        if self.answer_session != Setting::Set(AnswerSession::Cached) {
            return;
        }
        if self.is_generic() {
            problems.add(
                Place::Option(OPTION),
                "`kind: generic` has no session route: remove `session.answer_session`",
            );
            return;
        }
        if self.expose_session_token == Setting::Set(true) {
            problems.add_beside(
                OPTION,
                &[OptionKey::ExposeSessionToken],
                "no session token is kept, so it is in no answer of this app: remove `expose_session_token`, or write \
                 `answer_session: upstream`",
            );
        }
        let source = self.effective_source();
        let is_zero = |setting: &Setting<Duration>| {
            setting.with_default(Duration::ZERO) == Setting::Set(Duration::ZERO)
        };
        if source == Setting::Set(Source::Upstream) && is_zero(&self.cache) {
            problems.add_beside(
                OPTION,
                &[OptionKey::Cache],
                "`cached` answers from the cache, and there is none: add `session: { cache: 30s }`",
            );
        }
        // The answers of the upstream renew the token, and with `local` nothing else does.
        if source == Setting::Set(Source::Local) && is_zero(&self.renew) {
            problems.add_beside(
                OPTION,
                &[OptionKey::Renew],
                "with `session.source: local`, only the upstream's answers renew the token, and active visitors would be \
                 signed out when it expires: add `session: { renew: 1h }`, the age from which the upstream is asked",
            );
        }
    }
}
