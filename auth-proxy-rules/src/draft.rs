//! The parts of a [`Draft`] that the table of options does not generate: headers, secrets, and the token format.

use crate::choices::{Kind, Source, Strategy, TokenFormat};
use crate::header::{header_name, header_value};
use crate::invalid_value::InvalidValue;
use crate::option::Draft;
use crate::secret::{Pem, SecretInfo};
use crate::setting::Setting;

impl Draft {
    /// Checks the name of an extra header, and its value if it is known.
    ///
    /// # Errors
    /// When the name or the value breaks a rule, or the name was added before.
    pub fn add_header(&mut self, name: &str, value: Option<&str>) -> Result<(), InvalidValue> {
        let name = header_name(name)?;
        if self.headers.contains(&name) {
            return Err(InvalidValue::with_part("this header is set twice (case does not count)", name));
        }
        self.headers.push(name);
        value.map_or(Ok(()), header_value)
    }

    /// Adds a secret, older than those added before.
    ///
    /// # Errors
    /// When it is empty.
    pub fn add_secret(&mut self, text: &str) -> Result<SecretInfo, InvalidValue> {
        let info = SecretInfo::of(text)?;
        self.secrets.push(Setting::Set(info));
        Ok(info)
    }

    /// Adds a secret of the webhook, older than those added before.
    ///
    /// # Errors
    /// When it is empty, shorter than 32 bytes, or a key in PEM.
    pub fn add_webhook_secret(&mut self, text: &str) -> Result<(), InvalidValue> {
        let info = SecretInfo::of(text)?;
        if info.pem != Pem::No {
            return Err(InvalidValue::new("a key in PEM is no shared secret: write random text"));
        }
        // RFC 2104, section 3: a key that is shorter than the hash weakens the signature.
        if info.bytes < 32 {
            return Err(InvalidValue::new(
                "it is shorter than 32 bytes: generate one with `openssl rand -base64 33`",
            ));
        }
        self.webhook_secrets.push(Setting::Set(info));
        Ok(())
    }

    /// Whether a variable with a secret may have the form of `BETTER_AUTH_SECRETS`.
    #[must_use]
    pub fn kind_has_secret_versions(&self) -> bool {
        self.kind == Setting::Set(Kind::BetterAuth)
    }

    /// The token format: the configured one, else the one of the upstream's software.
    pub(crate) fn effective_token(&self) -> Setting<TokenFormat> {
        match (&self.token, &self.kind) {
            (Setting::Unset, Setting::Set(Kind::NextAuthV4)) => Setting::Set(TokenFormat::EncryptedV4),
            (Setting::Unset, Setting::Set(Kind::BetterAuth)) => Setting::Set(TokenFormat::Compact),
            (Setting::Unset, Setting::Set(Kind::Generic)) => Setting::Set(TokenFormat::Jwks),
            (Setting::Unset, Setting::Unset | Setting::Set(Kind::Robo | Kind::Authjs)) => {
                Setting::Set(TokenFormat::Encrypted)
            }
            (Setting::Unset, Setting::Optional | Setting::Deferred) => Setting::Deferred,
            (token, _) => token.clone(),
        }
    }

    /// How the upstream keeps sessions: as configured, else as the upstream's software does.
    pub(crate) fn effective_strategy(&self) -> Setting<Strategy> {
        match (&self.strategy, &self.kind) {
            (Setting::Unset, Setting::Set(Kind::BetterAuth)) => Setting::Set(Strategy::Database),
            (Setting::Unset, Setting::Optional | Setting::Deferred) => Setting::Deferred,
            (Setting::Unset, _) => Setting::Set(Strategy::Jwt),
            (strategy, _) => strategy.clone(),
        }
    }

    /// Where sessions are read from: as configured, else as the upstream's software allows.
    pub(crate) fn effective_source(&self) -> Setting<Source> {
        match (&self.source, &self.kind) {
            (Setting::Unset, Setting::Set(Kind::Generic)) => Setting::Set(Source::Local),
            (Setting::Unset, Setting::Optional | Setting::Deferred) => Setting::Deferred,
            (Setting::Unset, _) => Setting::Set(Source::Upstream),
            (source, _) => source.clone(),
        }
    }

    /// Whether the upstream is known to have no sign-in: it is asked for its keys only.
    pub(crate) fn is_generic(&self) -> bool {
        self.kind == Setting::Set(Kind::Generic)
    }

    /// The path of the sign-in page below this base path, if `sign_in_path` is not set. `None` if a variable decides.
    pub(crate) fn default_sign_in_path(&self, base_path: &str) -> Option<String> {
        match &self.kind {
            // Better Auth has no pages: the app has its own.
            Setting::Set(Kind::BetterAuth) => Some("/sign-in".to_owned()),
            Setting::Set(_) | Setting::Unset => Some(format!("{base_path}/signin")),
            Setting::Optional | Setting::Deferred => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OptionKey;

    #[test]
    fn header_set_twice_in_another_case_is_refused() {
        let mut draft = Draft::default();
        assert_eq!(draft.add_header("X-Api-Key", None), Ok(()));
        assert!(draft.add_header("x-api-key", None).is_err());
        assert!(draft.add_header("x-other", Some("a\n")).is_err());
    }

    #[test]
    fn default_token_format_depends_on_the_upstream_kind() {
        for (kind, token, expected) in [
            (None, None, TokenFormat::Encrypted),
            (Some("next_auth_v4"), None, TokenFormat::EncryptedV4),
            (Some("next_auth_v4"), Some("encrypted"), TokenFormat::Encrypted),
            (Some("robo"), None, TokenFormat::Encrypted),
            (Some("better_auth"), None, TokenFormat::Compact),
            (Some("generic"), None, TokenFormat::Jwks),
        ] {
            let mut draft = Draft::default();
            for (option, text) in [(OptionKey::Kind, kind), (OptionKey::Token, token)] {
                text.map(|text| draft.set(option, text).unwrap());
            }
            assert_eq!(draft.effective_token(), Setting::Set(expected), "{kind:?} {token:?}");
        }
        let mut draft = Draft::default();
        draft.set_later(OptionKey::Kind, true);
        assert_eq!(draft.effective_token(), Setting::Deferred);
    }
}
