//! Addresses of the upstream, as findings show them.

use auth_proxy_rules::Settings;

/// A prefix of `upstream.base_url`, and a base path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BasePath {
    pub(super) prefix: String,
    pub(super) base: String,
}

impl BasePath {
    pub(super) fn path(&self) -> String {
        path_of(&self.prefix, &self.base)
    }
}

/// The path with which every request to the upstream begins.
pub(super) fn path_of(prefix: &str, base: &str) -> String {
    format!("{prefix}{base}")
}

/// The address of the upstream. With `kind: generic` there is only one of keys.
pub(super) fn address(settings: &Settings) -> String {
    match &settings.jwks_url {
        Some(url) if !settings.has_sign_in() => url.origin.to_string(),
        _ => settings.base_url.at(&settings.upstream_base_path),
    }
}
