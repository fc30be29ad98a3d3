//! The rules between options for `{base_path}/_revoke`: `revocation.webhook_secret` and `revocation.back_channel`.

use super::Problems;
use crate::choices::{RevocationList, TokenFormat};
use crate::option::{Draft, OptionKey};
use crate::problem::Place;
use crate::setting::Setting;
use crate::words_or_text::Expected;

impl Draft {
    /// Whether the list of revoked tokens is to be kept in a store.
    #[must_use]
    pub fn keeps_list(&self) -> bool {
        self.revocation == Setting::Set(RevocationList::Store)
    }

    /// Whether there is a store. Its variable may be missing, which is a mistake of its own.
    #[must_use]
    pub fn has_store(&self) -> bool {
        matches!(self.store, Setting::Set(_) | Setting::Deferred)
    }

    pub(super) fn check_webhook(&self, problems: &mut Problems) {
        if self.webhook_secrets.iter().any(|secret| *secret != Setting::Optional) {
            self.check_list(OptionKey::WebhookSecret, problems);
        }
    }

    /// A logout token is verified with the keys of its issuer. It must be of this issuer and for this app, or another app's
    /// logout would end sessions here (OpenID Connect Back-Channel Logout 1.0, section 2.6).
    pub(super) fn check_back_channel(&self, problems: &mut Problems) {
        if self.back_channel != Setting::Set(true) {
            return;
        }
        self.check_list(OptionKey::BackChannel, problems);
        let Setting::Set(format) = self.effective_token() else { return };
        if format != TokenFormat::Jwks {
            problems.add(
                Place::Option(OptionKey::BackChannel),
                "logout tokens are verified with the keys that their issuer publishes: add \
                 `upstream: { token: jwks, issuer: \"https://auth.example.com\", audience: \"my-app\" }` and \
                 `jwks: { url: \"https://auth.example.com/.well-known/jwks.json\" }`",
            );
            return;
        }
        // Session tokens under published keys need both options anyway, and the issuer itself.
        if self.audience == Setting::Set(Expected::Any) {
            problems.add(
                Place::Option(OptionKey::Audience),
                "`revocation.back_channel` needs the client id of this app, or a logout at another app of the issuer \
                 would end sessions here: write `\"my-app\"`",
            );
        }
    }

    /// Without the list of revoked tokens, there is nothing to add to.
    fn check_list(&self, option: OptionKey, problems: &mut Problems) {
        if matches!(self.revocation, Setting::Unset | Setting::Set(RevocationList::Off)) {
            problems.add_beside(
                option,
                &[OptionKey::Revocation],
                format!(
                    "`{option}` adds to the list of revoked tokens, and there is none: add \
                     `session: {{ revocation: store }}`"
                ),
            );
        }
    }
}
