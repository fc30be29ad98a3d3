//! The configuration file: reading, checking, and every mistake with its place. It builds no service.

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

use auth_proxy::verdict::PathRules;
use toml::de::DeTable;

pub(crate) use self::mistake::{Mistake, Report};
pub(crate) use self::options::AuthOptions;
use self::own::Own;
pub(crate) use self::own::{App, Log, Server, VerdictOptions};
use self::reader::{Reader, Table};
use self::text::Sources;
use crate::gateway::Gateway;

/// The places of options by their names.
type Places = HashMap<&'static str, Range<usize>>;

/// A configuration file whose values were checked.
pub(crate) struct Config {
    file: PathBuf,
    source: String,
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: Option<SocketAddr>,
    /// The places of options that a reload cannot change.
    own_places: Places,
    pub(crate) auth: AuthOptions,
    pub(crate) app: Option<App>,
    pub(crate) rules: PathRules<Gateway>,
    pub(crate) verdict: VerdictOptions,
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
        let mut reader = Reader::new(Sources { folder, variable }, syntax.is_empty());
        let mut top = Table::new("", document.get_ref());
        let mut own_places = HashMap::new();
        let own = own::read(&mut reader, &mut top, &mut own_places);
        let (auth, mut warnings) = options::read(top, &mut reader);
        let Own { listen, admin_listen, app, rules, .. } = &own;
        let listeners = [("listen", *listen), ("admin_listen", *admin_listen)];
        let app_url = app.as_ref().map(|app| ("app.url", app.url.to_string(), app.url_span.clone()));
        for (option, url, span) in app_url.into_iter().chain(auth.base_url()) {
            let own = listeners.iter().find(|(_, at)| at.is_some_and(|at| own::leads_to(&url, at)));
            if let Some((listener, _)) = own {
                let message = format!(
                    "`{option}` is the address of `{listener}`, so requests would go in circles: write that of the other \
                     server"
                );
                reader.add(span, message);
            }
        }
        warnings.extend(app.as_ref().and_then(|app| auth.closed_sign_in_page(rules, app.span.clone())));
        let mut mistakes: Vec<Mistake> = syntax.iter().map(|error| syntax_mistake(source, error)).collect();
        // The parser goes on with a part of a value that it cannot read, which is another mistake at that place.
        let is_at_syntax_mistake =
            |place: &Mistake| mistakes.iter().any(|other| other.span.start == place.span.start);
        reader.mistakes.retain(|mistake| !is_at_syntax_mistake(mistake));
        mistakes.append(&mut reader.mistakes);
        let Own { listen, admin_listen, app, rules, verdict, server, log } = own;
        match listen {
            Some(listen) if mistakes.is_empty() => Ok(Self {
                file: file.to_owned(),
                source: source.to_owned(),
                listen,
                admin_listen,
                own_places,
                auth,
                app,
                rules,
                verdict,
                server,
                log,
                warnings: Report::of(file, source, &warnings),
            }),
            _ => Err(Report::of(file, source, &mistakes)),
        }
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

    /// Mistakes that show only when the services are built.
    pub(crate) fn report(&self, mistakes: &[Mistake]) -> Report {
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
