//! Recognises the server software at the upstream, for warnings that name the fix.

use auth_proxy_rules::{Host, Kind, Origin, Settings};
use http::HeaderMap;
use http::header::VARY;

/// The server software at the upstream, as its response headers show. Used for warnings only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Software {
    NextJs,
    Express,
    Unknown,
}

impl Software {
    /// Next.js 16 sends `X-Powered-By` with pages only. The `Vary` of its route handlers names headers of its router.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let contains = |name: &str, word: &str| {
            headers
                .get_all(name)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .any(|value| value.contains(word))
        };
        if contains("x-powered-by", "Next.js") || contains(VARY.as_str(), "next-router-state-tree") {
            Self::NextJs
        } else if contains("x-powered-by", "Express") {
            Self::Express
        } else {
            Self::Unknown
        }
    }

    /// Warns that the upstream's URLs have another origin, and says what to change. Only origins are logged: paths and
    /// queries may hold secrets.
    pub(super) fn warn(self, settings: &Settings, urls: &Origin, own: &Origin) {
        tracing::warn!(
            target: "auth_proxy::proxy",
            server = self.name(),
            %urls,
            %own,
            "the upstream's URLs have another origin than this app, so forms, callbacks and redirects leave this app: {}",
            self.fix(settings, urls, own),
        );
    }

    /// What to change. Each software takes the origin of its URLs from another setting.
    fn fix(self, settings: &Settings, urls: &Origin, own: &Origin) -> &'static str {
        let differs_in_scheme = urls.host().eq_ignore_ascii_case(own.host()) && urls.https != own.https;
        match self {
            Self::NextJs if settings.kind == Some(Kind::NextAuthV4) => {
                "set AUTH_TRUST_HOST=1 at the Next.js server and no NEXTAUTH_URL, or NEXTAUTH_URL to this app's \
                 origin; see examples/nextjs/README.md of auth-proxy"
            }
            Self::NextJs => {
                "Next.js ignores Host: add the lines of examples/nextjs/README.md of auth-proxy to its route.js, and the \
                 key that they check (`x-api-key`) to `upstream.headers` here; or set AUTH_URL there to this app's origin"
            }
            _ if differs_in_scheme && urls.https => {
                "a proxy between this app and the server sets `X-Forwarded-Proto: https`: if browsers reach this app \
                 over https, set `public_url`, else stop that proxy from setting it"
            }
            Self::Express if differs_in_scheme => {
                "set `app.set(\"trust proxy\", true)` at the Express server, which ignores X-Forwarded-Proto without it"
            }
            _ if matches!(settings.host, Host::Upstream | Host::Literal(_)) => {
                "let the upstream see this app's host (`upstream.host: preserve`), or share its cookies with this app \
                 by their domain (see the parent-domain deployment in the guide)"
            }
            _ if settings.kind == Some(Kind::NextAuthV4) => {
                "set AUTH_TRUST_HOST=1 at the upstream and no NEXTAUTH_URL, or NEXTAUTH_URL to this app's origin"
            }
            Self::Express => {
                "Express builds its URLs from the Host header: have the proxies between it and this app forward Host"
            }
            Self::Unknown => {
                "unset AUTH_URL at the upstream, or set it to this app's origin, and have the proxies between it and this \
                 app forward Host"
            }
        }
    }

    /// The name of the software in a log message.
    fn name(self) -> &'static str {
        match self {
            Self::NextJs => "Next.js",
            Self::Express => "Express",
            Self::Unknown => "the upstream",
        }
    }
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{Draft, OptionKey, origin};

    use super::*;

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
        ] {
            let mut draft = Draft::default();
            for (option, text) in
                [(OptionKey::BaseUrl, "http://auth"), (OptionKey::Kind, kind), (OptionKey::Host, host)]
            {
                draft.set(option, text).unwrap();
            }
            let own = origin("https://app.example.com").unwrap();
            let advice = software.fix(&draft.resolve().unwrap(), &origin(urls).unwrap(), &own);
            assert!(advice.contains(word), "{software:?} {kind} {host}: {advice}");
        }
    }

    #[test]
    fn software_is_recognised_by_its_headers() {
        for (name, value, software) in [
            ("x-powered-by", "Next.js", Software::NextJs),
            ("vary", "rsc, next-router-state-tree, next-router-prefetch, Accept-Encoding", Software::NextJs),
            ("x-powered-by", "Express", Software::Express),
            ("x-powered-by", "PHP/8", Software::Unknown),
            ("vary", "Accept-Encoding", Software::Unknown),
        ] {
            let headers = [(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect();
            assert_eq!(Software::of(&headers), software, "{name}: {value}");
        }
    }
}
