//! The default of an option in a declaration, as far as the other values decide it.

use crate::choices::TokenFormat;
use crate::option::{BASE_PATH, Draft, OptionKey, TIMEOUT};
use crate::setting::Setting;
use crate::settings::CONNECT_TIMEOUT;

impl Draft {
    /// The default of an option beside the values that are set, in Markdown. Where a variable decides at start, the rule.
    #[must_use]
    pub fn default_beside(&self, option: OptionKey) -> String {
        let code = |value: &str| format!("`{value}`");
        let sign_in = |base: &str| {
            self.default_sign_in_path(base)
                .map_or(option.default_text().to_owned(), |path| code(&format!("\"{path}\"")))
        };
        match (option, &self.base_path, self.effective_token()) {
            (OptionKey::UpstreamBasePath, Setting::Set(path), _) => code(&format!("\"{path}\"")),
            (OptionKey::UpstreamBasePath, Setting::Unset, _) => code(&format!("\"{BASE_PATH}\"")),
            (OptionKey::SignInPath, Setting::Set(path), _) => sign_in(path),
            (OptionKey::SignInPath, Setting::Unset, _) => sign_in(BASE_PATH),
            (OptionKey::Strategy, ..) => match self.effective_strategy() {
                Setting::Set(strategy) => code(&strategy.to_string()),
                _ => "by `kind`".to_owned(),
            },
            (OptionKey::Token, _, Setting::Set(format)) => code(&TokenFormat::to_string(&format)),
            (OptionKey::Source, ..) => match self.effective_source() {
                Setting::Set(source) => code(&source.to_string()),
                _ => "by `kind`".to_owned(),
            },
            (OptionKey::BaseUrl, ..) if self.is_generic() => "of `jwks.url`".to_owned(),
            (OptionKey::Unauthenticated, ..) if self.is_generic() && self.sign_in_path == Setting::Unset => {
                code("status")
            }
            (OptionKey::CookieName, ..) if self.is_generic() => "none, `Authorization` only".to_owned(),
            (OptionKey::ConnectTimeout, ..) => match self.timeout.with_default(TIMEOUT) {
                Setting::Set(timeout) if timeout < CONNECT_TIMEOUT => "`upstream.timeout`".to_owned(),
                Setting::Set(_) => option.default_text().to_owned(),
                _ => format!("{}, at most `upstream.timeout`", option.default_text()),
            },
            (OptionKey::ClientJs, ..) if !cfg!(feature = "client-js") => {
                "`false`, without the feature `client-js`".to_owned()
            }
            _ => option.default_text().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_set_decide_the_defaults_of_others() {
        let mut draft = Draft::default();
        draft.set(OptionKey::BaseUrl, "http://auth").unwrap();
        for (options, path, token) in [
            (&[][..], "/api/auth", "encrypted"),
            (&[(OptionKey::BasePath, "/login/")], "/login", "encrypted"),
            (&[(OptionKey::Kind, "next_auth_v4")], "/api/auth", "encrypted_v4"),
            (&[(OptionKey::Kind, "better_auth")], "/api/auth", "compact"),
        ] {
            let mut draft = draft.clone();
            for (option, text) in options {
                draft.set(*option, text).unwrap();
            }
            let settings = draft.resolve().unwrap();
            assert_eq!(
                (settings.upstream_base_path.as_str(), settings.token.to_string().as_str()),
                (path, token)
            );
            assert_eq!(draft.default_beside(OptionKey::UpstreamBasePath), format!("`\"{path}\"`"));
            assert_eq!(
                draft.default_beside(OptionKey::SignInPath),
                format!("`\"{}\"`", settings.sign_in_path)
            );
            assert_eq!(draft.default_beside(OptionKey::Token), format!("`{token}`"));
            assert_eq!(draft.default_beside(OptionKey::Strategy), format!("`{}`", settings.strategy));
            assert_eq!(draft.default_beside(OptionKey::Timeout), "`10s`");
        }
        for (timeout, default) in [("1s", "`upstream.timeout`"), ("2s", "`2s`"), ("10s", "`2s`")] {
            let mut draft = draft.clone();
            draft.set(OptionKey::Timeout, timeout).unwrap();
            assert_eq!(draft.default_beside(OptionKey::ConnectTimeout), default, "{timeout}");
        }
        draft.set_later(OptionKey::Timeout, false);
        assert_eq!(draft.default_beside(OptionKey::ConnectTimeout), "`2s`, at most `upstream.timeout`");
        draft.set_later(OptionKey::Kind, true);
        assert_eq!(draft.default_beside(OptionKey::Token), "by `kind`");
    }
}
