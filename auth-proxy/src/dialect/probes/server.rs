//! [`Server`]: a server that was recognised, and the names of its settings.

use crate::config::Kind;
use crate::dialect;

/// A server that was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Authjs,
    Robo,
    NextAuthV4,
    BetterAuth,
}

impl Server {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Authjs => "Auth.js v5",
            Self::Robo => "Robo.js",
            Self::NextAuthV4 => "next-auth v4",
            Self::BetterAuth => "Better Auth",
        }
    }

    /// The `upstream.kind` of the server.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Authjs => Kind::Authjs,
            Self::Robo => Kind::Robo,
            Self::NextAuthV4 => Kind::NextAuthV4,
            Self::BetterAuth => Kind::BetterAuth,
        }
    }

    /// Whether this is a server for that option. Without a kind the server is Auth.js v5 or Robo.js.
    pub(crate) fn is_expected(self, kind: Option<Kind>) -> bool {
        match kind {
            Some(kind) => self.kind() == kind,
            None => matches!(self, Self::Authjs | Self::Robo),
        }
    }

    /// The servers for no kind.
    pub(crate) const WITHOUT_KIND: &str = "Auth.js v5 and Robo.js";

    /// The variable with its secret.
    pub(crate) fn secret_variable(self) -> &'static str {
        dialect::of(Some(self.kind())).secret_variable()
    }

    /// Where its configuration has the name of the session cookie, if it is not the default one.
    pub(crate) fn cookie_name_setting(self) -> &'static str {
        match self {
            Self::Authjs | Self::Robo | Self::NextAuthV4 => "`cookies.sessionToken.name`",
            Self::BetterAuth => "`advanced.cookies.session_token.name`",
        }
    }

    /// What to change, so that hosts below this domain share its cookies.
    pub(crate) fn domain_setting(self, domain: &str) -> String {
        match self {
            Self::Authjs | Self::Robo | Self::NextAuthV4 => format!(
                "let the server set its cookies for all hosts: `cookies: {{ sessionToken: {{ .., options: {{ .., domain: \
                 \"{domain}\" }} }} }}`, and the same for `csrfToken`, `callbackUrl`, `pkceCodeVerifier` and `state`"
            ),
            Self::BetterAuth => format!(
                "let the server set its cookies for all hosts: `advanced: {{ crossSubDomainCookies: {{ enabled: true, domain: \
                 \"{domain}\" }} }}`"
            ),
        }
    }

    /// What decides whether its cookies have the prefix `__Secure-`.
    pub(crate) fn prefix_rule(self) -> &'static str {
        match self {
            Self::Authjs | Self::NextAuthV4 => {
                "the server adds `__Secure-` if it sees https: `X-Forwarded-Proto` follows `public_url`, and the option \
                 `useSecureCookies` of the server overrules it"
            }
            Self::Robo => "the server never adds `__Secure-`",
            Self::BetterAuth => {
                "the server adds `__Secure-` if its `baseURL` is https, or by its `advanced.useSecureCookies`"
            }
        }
    }
}
