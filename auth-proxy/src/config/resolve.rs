use auth_proxy_rules::{Bad, Draft, Opt, Pem, Place, SecretInfo, Strategy, header_value};
use http::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::{Config, ConfigError, ConfigProblem, Spec, Value};

/// What the builder says, which wins over the declaration.
#[derive(Default)]
pub(crate) struct Overrides {
    pub(crate) options: Vec<(Opt, String)>,
    pub(crate) headers: Vec<(String, Zeroizing<String>)>,
    pub(crate) secrets: Option<Vec<Zeroizing<String>>>,
}

/// Reads one environment variable. `Err` when it is not UTF-8.
pub(crate) type Vars<'a> = &'a dyn Fn(&str) -> Result<Option<Zeroizing<String>>, NotUnicode>;

pub(crate) struct NotUnicode;

/// Reads, proves and completes a configuration.
pub(crate) fn resolve(spec: &Spec, overrides: &Overrides, vars: Vars<'_>) -> Result<Config, ConfigError> {
    let mut resolver =
        Resolver { spec, vars, draft: Draft::default(), problems: Vec::new(), used: Vec::new() };
    resolver.options(overrides);
    let headers = resolver.headers(overrides);
    let secrets = resolver.secrets(overrides);
    resolver.rules();
    let names = overrides.headers.iter().map(|(name, _)| name.as_str());
    let names = names.chain(spec.headers.iter().map(|(name, _)| *name));
    let header_names = names.filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect();
    let settings = resolver.draft.resolve();
    let mut problems = resolver.problems;
    problems.sort_by_key(|(option, _)| Opt::ALL.iter().position(|o| o == option));
    let problems = problems.into_iter().map(|(_, problem)| problem).collect::<Vec<_>>();
    match settings {
        Some(settings) if problems.is_empty() => Ok(Config { settings, headers, header_names, secrets }),
        _ => Err(ConfigError { name: spec.name, problems }),
    }
}

struct Resolver<'a> {
    spec: &'a Spec,
    vars: Vars<'a>,
    draft: Draft,
    problems: Vec<(Opt, ConfigProblem)>,
    /// The variable that each option was read from, to name it in the rules across options.
    used: Vec<(Place, &'static str)>,
}

impl Resolver<'_> {
    fn options(&mut self, overrides: &Overrides) {
        for (option, text) in &overrides.options {
            self.set(*option, text, None);
        }
        for (option, value) in self.spec.options {
            if overrides.options.iter().any(|(set, _)| set == option) {
                continue;
            }
            let (text, variable) = self.read(*option, &option.to_string(), value);
            match text {
                Some(text) => self.set(*option, &text, variable),
                // Missing and reported: hold back the rules that would report it again.
                None if !is_optional(value) => self.draft.set_later(*option, false),
                None => {}
            }
            if let Some(variable) = variable {
                self.used.push((Place::Option(*option), variable));
            }
        }
    }

    fn headers(&mut self, overrides: &Overrides) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in &overrides.headers {
            self.header(&mut map, name, value, None);
        }
        for (name, value) in self.spec.headers {
            if overrides.headers.iter().any(|(set, _)| set.eq_ignore_ascii_case(name)) {
                continue;
            }
            let option = format!("{}[\"{name}\"]", Opt::Headers);
            if let (Some(text), variable) = self.read(Opt::Headers, &option, value) {
                self.header(&mut map, name, &text, variable);
            }
        }
        map
    }

    fn header(&mut self, map: &mut HeaderMap, name: &str, text: &str, variable: Option<&'static str>) {
        let parsed = self.draft.add_header(name, None).and_then(|()| header_value(text)).and_then(|()| {
            let bad = |_| Bad { message: "not a header".to_owned(), part: None };
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|e| bad(e.to_string()))?;
            let mut value = HeaderValue::from_str(text).map_err(|e| bad(e.to_string()))?;
            value.set_sensitive(true);
            Ok((key, value))
        });
        match parsed {
            Ok((key, value)) => drop(map.insert(key, value)),
            Err(bad) => {
                self.report(Opt::Headers, format!("{}[\"{name}\"]", Opt::Headers), variable, &bad.message);
            }
        }
    }

    fn secrets(&mut self, overrides: &Overrides) -> Vec<Zeroizing<String>> {
        let mut secrets = Vec::new();
        if let Some(given) = &overrides.secrets {
            for secret in given {
                self.secret(&mut secrets, secret.clone(), None);
            }
            return secrets;
        }
        for value in self.spec.secrets {
            match self.read(Opt::Secret, &Opt::Secret.to_string(), value) {
                (Some(secret), variable) => self.secret(&mut secrets, secret, variable),
                (None, _) if !is_optional(value) => self.draft.set_later(Opt::Secret, false),
                (None, _) => {}
            }
        }
        secrets
    }

    fn secret(
        &mut self,
        secrets: &mut Vec<Zeroizing<String>>,
        secret: Zeroizing<String>,
        variable: Option<&'static str>,
    ) {
        match self.draft.add_secret(&secret) {
            Ok(info) => {
                warn_if_short(self.spec.name, info, variable);
                if let Some(variable) = variable {
                    self.used.push((Place::Secret(secrets.len()), variable));
                    self.used.push((Place::Option(Opt::Secret), variable));
                }
                secrets.push(secret);
            }
            Err(bad) => self.report(Opt::Secret, Opt::Secret.to_string(), variable, &bad.message),
        }
    }

    /// The text of a value, and the variable that it was looked for in.
    fn read(
        &mut self,
        option: Opt,
        name: &str,
        value: &Value,
    ) -> (Option<Zeroizing<String>>, Option<&'static str>) {
        let (variable, default, optional) = match value {
            Value::Literal(text) => return (Some(Zeroizing::new((*text).to_owned())), None),
            Value::Env { name, default, optional } => (*name, *default, *optional),
        };
        // An empty variable is how container tools write "not set".
        let text = match (self.vars)(variable) {
            Ok(text) => text.filter(|text| !text.is_empty()),
            Err(NotUnicode) => {
                self.report(option, name.to_owned(), Some(variable), "not valid UTF-8");
                return (None, Some(variable));
            }
        };
        let text = text.or_else(|| default.map(|default| Zeroizing::new(default.to_owned())));
        if text.is_none() && !optional {
            self.report(option, name.to_owned(), Some(variable), "not set");
        }
        (text, Some(variable))
    }

    fn set(&mut self, option: Opt, text: &str, variable: Option<&'static str>) {
        match self.draft.set(option, text) {
            Ok(None) => {}
            Ok(Some(note)) => tracing::info!(%option, "{note}"),
            Err(bad) => {
                self.report(option, option.to_string(), variable, &bad.message);
                self.draft.set_later(option, false);
            }
        }
    }

    fn rules(&mut self) {
        for problem in self.draft.check() {
            let variable = self.used.iter().find(|(place, _)| *place == problem.place).map(|(_, v)| *v);
            let option = problem.place.option();
            self.report(option, option.to_string(), variable, &problem.message);
        }
    }

    fn report(&mut self, option: Opt, name: String, variable: Option<&'static str>, message: &str) {
        let problem = ConfigProblem { option: name, variable, message: message.to_owned() };
        self.problems.push((option, problem));
    }
}

fn is_optional(value: &Value) -> bool {
    matches!(value, Value::Env { optional: true, .. })
}

/// RFC 7518, section 3.2, asks for keys as long as the hash; Auth.js generates 32 bytes or more.
fn warn_if_short(name: &str, info: SecretInfo, variable: Option<&str>) {
    if info.pem == Pem::No && info.bytes < 32 {
        tracing::warn!(
            proxy = name,
            variable,
            bytes = info.bytes,
            "the secret is shorter than 32 bytes: generate one with `npx auth secret` or `openssl rand -base64 33`"
        );
    }
}

impl Config {
    /// Whether session tokens can be decoded here.
    pub(crate) fn decodes(&self) -> bool {
        self.settings.strategy == Strategy::Jwt && !self.secrets.is_empty()
    }
}
