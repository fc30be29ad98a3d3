//! The configuration file: reading, checking, and every mistake with its place.

mod mistake;
mod options;
mod own;
mod reader;
mod rules;
mod text;
pub(crate) mod wording;

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use auth_proxy::options::{ConfigError, ConfigProblem};
use auth_proxy::reverse_proxy::ReverseProxy;
use auth_proxy::verdict::{PathRules, Verdict};
use axum::Router;
use toml::de::DeTable;

use self::mistake::Mistake;
pub(crate) use self::mistake::Report;
use self::options::AuthOptions;
pub(crate) use self::own::{App, Log, Server};
use self::reader::{Reader, Table};
use self::text::Sources;
use crate::gateway::Gateway;

/// A configuration file whose values were checked.
pub(crate) struct Config {
    file: PathBuf,
    source: String,
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: Option<SocketAddr>,
    /// The places of options that a reload cannot change.
    own_places: HashMap<&'static str, Range<usize>>,
    auth: AuthOptions,
    pub(crate) app: Option<App>,
    rules: PathRules<Gateway>,
    verdict: own::Verdict,
    pub(crate) server: Server,
    pub(crate) log: Log,
    /// Values that are allowed and probably not meant.
    pub(crate) warnings: Report,
}

impl Config {
    /// Reads and checks a file, with the environment of the process.
    ///
    /// # Errors
    /// Every mistake of the file.
    pub(crate) fn read(file: &Path) -> Result<Self, Report> {
        let source = std::fs::read_to_string(file)
            .map_err(|error| Report::whole_file(file, format!("cannot read the file: {error}")))?;
        Self::parse(file, &source, &|name| std::env::var_os(name))
    }

    fn parse(file: &Path, source: &str, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, Report> {
        let (document, syntax) = DeTable::parse_recoverable(source);
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut reader = Reader {
            sources: Sources { folder, variable },
            mistakes: Vec::new(),
            is_complete: syntax.is_empty(),
        };
        let mut top = Table::new("", document.get_ref());
        let listen_value = top.take("listen");
        let listen = own::address(&mut reader, listen_value);
        let admin_value = top.take("admin_listen");
        let admin_listen = own::address(&mut reader, admin_value);
        if let (Some(listen), Some(admin), Some(value)) = (listen, admin_listen, admin_value)
            && listen == admin
            && listen.port() != 0
        {
            reader.add(
                value.span(),
                "this is the address of `listen`, which visitors reach: write another port",
            );
        }
        let mut own_places = HashMap::new();
        own_places.extend(listen_value.map(|value| ("listen", value.span())));
        own_places.extend(admin_value.map(|value| ("admin_listen", value.span())));
        let app = own::app(&mut reader, top.take("app"));
        let rules = rules::read(&mut reader, top.take("rules"));
        let verdict = own::verdict(&mut reader, top.take("verdict"));
        let server_value = top.take("server");
        own_places.extend(server_value.map(|value| ("server.max_connections", value.span())));
        let server = own::server(&mut reader, server_value);
        let log_value = top.take("log");
        own_places.extend(log_value.map(|value| ("log.format", value.span())));
        let log = own::log(&mut reader, log_value);
        let (auth, mut warnings) = options::read(top, &own::TOP, &mut reader);
        let listeners = [("listen", listen), ("admin_listen", admin_listen)];
        let app_url = app.as_ref().map(|app| ("app.url", app.url.to_string(), app.url_span.clone()));
        for (option, url, span) in app_url.into_iter().chain(auth.base_url()) {
            let own = listeners.iter().find(|(_, at)| at.is_some_and(|at| own::leads_to(&url, at)));
            if let Some((listener, _)) = own {
                let message = format!(
                    "`{option}` is the address of `{listener}`, so requests would go in circles: write that of the other server"
                );
                reader.add(span, message);
            }
        }
        warnings.extend(app.as_ref().and_then(|app| auth.closed_sign_in_page(&rules, app.span.clone())));
        if listen_value.is_none() {
            reader.missing(0..0, "`listen` is missing: write `listen = \"127.0.0.1:8080\"`");
        }
        let mut mistakes: Vec<Mistake> = syntax.iter().map(|error| syntax_mistake(source, error)).collect();
        // The parser goes on with a part of a value that it cannot read, which is another mistake at that place.
        let is_at_syntax_mistake =
            |place: &Mistake| mistakes.iter().any(|other| other.span.start == place.span.start);
        reader.mistakes.retain(|mistake| !is_at_syntax_mistake(mistake));
        mistakes.append(&mut reader.mistakes);
        let warnings = Report::of(file, source, &warnings);
        match listen {
            Some(listen) if mistakes.is_empty() => Ok(Self {
                file: file.to_owned(),
                listen,
                admin_listen,
                own_places,
                auth,
                app,
                rules,
                verdict,
                server,
                log,
                warnings,
                source: source.to_owned(),
            }),
            _ => Err(Report::of(file, source, &mistakes)),
        }
    }

    /// Builds the proxy of the options.
    ///
    /// # Errors
    /// Mistakes that show only then, such as a secret that is no key.
    pub(crate) fn gateway(&self) -> Result<Gateway, Report> {
        self.auth.builder().build().map_err(|error| {
            let mistake = |problem: &ConfigProblem| Mistake {
                span: self.auth.place(problem.option()).unwrap_or(0..0),
                message: wording::toml_wording(&format!("`{}`: {}", problem.option(), problem.message())),
            };
            let mistakes: Vec<Mistake> = error.problems().iter().map(mistake).collect();
            self.report(&mistakes)
        })
    }

    /// The decision about requests, and what the app is told of visitors.
    pub(crate) fn verdict(&self, gateway: &Gateway) -> Verdict<Gateway> {
        let verdict =
            gateway.verdict().rules(self.rules.clone()).identity_headers(self.verdict.headers.clone());
        // `at` refuses no path that the reader accepted.
        let verdict = verdict.clone().at(&self.verdict.path).unwrap_or(verdict);
        let verdict = match &self.verdict.token {
            Some(token) => verdict.signed_token(token.clone()),
            None => verdict,
        };
        if self.verdict.refuses_cross_origin { verdict.refuse_cross_origin() } else { verdict }
    }

    /// The routes of the verdict endpoint. In front of an app, visitors reach every path, so the questions are answered only
    /// if the file asks for that.
    ///
    /// # Errors
    /// When the path overlaps the sign-in routes.
    pub(crate) fn verdict_routes(
        &self,
        gateway: &Gateway,
        verdict: &Verdict<Gateway>,
    ) -> Result<Router, Report> {
        let answers_questions = self.app.is_none() || self.verdict.path_span.is_some();
        if !answers_questions && self.verdict.token.is_none() {
            return Ok(Router::new());
        }
        let auth = gateway.config();
        let bases = [("base_path", auth.base_path()), ("upstream.base_path", auth.upstream_base_path())];
        if let Some((option, base)) = bases.into_iter().find(|(_, base)| overlap(base, &self.verdict.path)) {
            let written = self.verdict.path_span.clone();
            let span = written.or_else(|| self.auth.place(option)).unwrap_or(0..0);
            let message = format!(
                "the verdict endpoint overlaps the sign-in routes at `{base}`: write another path, such as \
                 `path = \"/internal/verdict\"`, in `[verdict]`"
            );
            return Err(self.report(&[Mistake { span, message }]));
        }
        Ok(if answers_questions { verdict.router() } else { verdict.key_set_router() })
    }

    /// The service that forwards requests to the app. `None` without `[app]`.
    ///
    /// # Errors
    /// When its client cannot be made.
    pub(crate) fn reverse_proxy(&self, gateway: &Gateway) -> Result<Option<ReverseProxy>, Report> {
        let Some(app) = &self.app else { return Ok(None) };
        let proxy = gateway
            .reverse_proxy(app.url.to_string())
            .connect_timeout(app.connect_timeout)
            .timeout(app.timeout)
            .idle_timeout(app.idle_timeout)
            .preserve_host(app.preserves_host)
            .pass_session(app.passes_session);
        let failed = |error: ConfigError| {
            let message =
                error.problems().first().map(|problem| problem.message().to_owned()).unwrap_or_default();
            self.report(&[Mistake { span: app.span.clone(), message: format!("`app.url`: {message}") }])
        };
        proxy.build().map(Some).map_err(failed)
    }

    /// Checks what a reload cannot change: the listeners are open.
    ///
    /// # Errors
    /// When an address or the number of connections is another.
    pub(crate) fn check_reload(&self, current: &Self) -> Result<(), Report> {
        let mut mistakes = Vec::new();
        let mut add = |is_changed: bool, name: &str| {
            if is_changed {
                let span = self.own_places.get(name).cloned().unwrap_or(0..0);
                let message = format!("`{name}` cannot change while the gateway runs: restart it");
                mistakes.push(Mistake { span, message });
            }
        };
        add(self.listen != current.listen, "listen");
        add(self.admin_listen != current.admin_listen, "admin_listen");
        let is_changed = self.server.max_connections != current.server.max_connections;
        add(is_changed, "server.max_connections");
        add(self.log.is_json != current.log.is_json, "log.format");
        if mistakes.is_empty() { Ok(()) } else { Err(self.report(&mistakes)) }
    }

    /// Whether a proxy of the other configuration can go on with this one.
    pub(crate) fn has_same_auth(&self, other: &Self) -> bool {
        self.auth.are_same(&other.auth)
    }

    fn report(&self, mistakes: &[Mistake]) -> Report {
        Report::of(&self.file, &self.source, mistakes)
    }
}

/// The mistake in a line whose value is a text without quotes, such as `url = localhost:3000`.
fn unquoted(source: &str, at: usize) -> Option<Mistake> {
    let start = source.get(..at)?.rfind('\n').map_or(0, |end| end + 1);
    let line = source.get(start..)?.lines().next()?;
    let (key, value) = line.split_once('=')?;
    let text = value.split('#').next()?.trim();
    let is_bare = |text: &str, others: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
    };
    if !is_bare(key.trim(), "_-.") || !is_bare(text, "_-.:/$@*?&{}") || text.starts_with('{') {
        return None;
    }
    let begin = start + key.len() + 1 + (value.len() - value.trim_start().len());
    let message = format!("a text needs quotes: write `{} = \"{text}\"`", key.trim());
    Some(Mistake { span: begin..begin + text.len(), message })
}

/// Whether two paths are the same, or one is below the other.
fn overlap(one: &str, other: &str) -> bool {
    let is_below = |path: &str, base: &str| {
        path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_below(one, other) || is_below(other, one)
}

/// An error of the TOML parser.
fn syntax_mistake(source: &str, error: &toml::de::Error) -> Mistake {
    let span = error.span().unwrap_or(0..0);
    if let Some(unquoted) = unquoted(source, span.start) {
        return unquoted;
    }
    let message = match (error.message(), source.get(span.clone())) {
        ("duplicate key", Some(key)) => {
            format!("`{key}` is there twice: keep one, with all that belongs to it")
        }
        (message, _) => message.to_owned(),
    };
    Mistake { span, message }
}

#[cfg(test)]
mod guide;
#[cfg(test)]
mod tests;
