//! The warning that the upstream's URLs have another origin than this app, and what to change.

use auth_proxy_rules::{Host, Origin, Settings};

use crate::dialect::{Dialect, Software};
use crate::provider::Shared;

/// Warns that the upstream's URLs have another origin, and says what to change. Only origins are logged: paths and
/// queries may hold secrets.
pub(super) fn warn_of_origin(shared: &Shared, software: Software, urls: &Origin, own: &Origin) {
    tracing::warn!(
        target: "auth_proxy::proxy",
        server = software.name(),
        %urls,
        %own,
        "the upstream's URLs have another origin than this app, so forms, callbacks and redirects leave this app: {}",
        origin_advice(shared.dialect, software, &shared.settings, urls, own),
    );
}

/// What to change. Each software takes the origin of its URLs from another setting.
pub(crate) fn origin_advice(
    dialect: &dyn Dialect,
    software: Software,
    settings: &Settings,
    urls: &Origin,
    own: &Origin,
) -> &'static str {
    let differs_in_scheme = urls.host().eq_ignore_ascii_case(own.host()) && urls.https != own.https;
    match software {
        _ if dialect.fixes_callback_host() => dialect.origin_setting(software),
        Software::NextJs => dialect.origin_setting(software),
        _ if differs_in_scheme && urls.https => {
            "a proxy between this app and the server sets `X-Forwarded-Proto: https`: if browsers reach this app \
                 over https, set `public_url`, else stop that proxy from setting it"
        }
        Software::Express if differs_in_scheme => {
            "set `app.set(\"trust proxy\", true)` at the Express server, which ignores X-Forwarded-Proto without it"
        }
        _ if matches!(settings.host, Host::Upstream | Host::Literal(_)) => {
            "let the upstream see this app's host (`upstream.host: preserve`), or share its cookies with this app \
                 by their domain (see the parent-domain deployment in the guide)"
        }
        Software::Express | Software::Unknown => dialect.origin_setting(software),
    }
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, OptionKey, origin};

    use super::*;
    use crate::dialect;

    #[test]
    fn warning_names_the_fix_for_the_server() {
        for (software, kind, host, urls, word) in [
            (Software::NextJs, "authjs", "preserve", "http://localhost:3001", "route.js"),
            (Software::NextJs, "next_auth_v4", "preserve", "http://localhost:3000", "at the Next.js server"),
            (Software::Express, "authjs", "preserve", "http://app.example.com", "ignores X-Forwarded-Proto"),
            (Software::Express, "authjs", "preserve", "http://localhost:3001", "forward Host"),
            (Software::NextJs, "authjs", "preserve", "http://localhost:3001", "x-api-key"),
            (Software::Express, "next_auth_v4", "preserve", "http://localhost:3000", "AUTH_TRUST_HOST=1"),
            (Software::Express, "authjs", "upstream", "https://auth.example.org", "upstream.host: preserve"),
            (Software::Unknown, "authjs", "upstream", "https://auth.example.org", "upstream.host: preserve"),
            (Software::Unknown, "robo", "preserve", "http://localhost:3001", "unset AUTH_URL"),
            (
                Software::Express,
                "better_auth",
                "preserve",
                "http://app.example.com",
                "`baseURL` of Better Auth",
            ),
        ] {
            let mut draft = Draft::default();
            for (option, text) in
                [(OptionKey::BaseUrl, "http://auth"), (OptionKey::Kind, kind), (OptionKey::Host, host)]
            {
                draft.set(option, text).unwrap();
            }
            let own = origin("https://app.example.com").unwrap();
            let advice = {
                let settings = draft.resolve().unwrap();
                origin_advice(dialect::of(settings.kind), software, &settings, &origin(urls).unwrap(), &own)
            };
            assert!(advice.contains(word), "{software:?} {kind} {host}: {advice}");
        }
    }
}
