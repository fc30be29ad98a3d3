//! Resolves a configuration: combines the declaration, the builder's options and the environment into a checked
//! [`Config`].

use auth_proxy_rules::{
    Draft, OptionKey, Pem, Place, SecretInfo, Strategy, TokenFormat, header_value, versioned_secrets,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::builder_options::BuilderOptions;
use super::{Config, ConfigError, ConfigProblem, Spec, Value};

/// Reads one environment variable. `Err` when it is not UTF-8.
pub(crate) type Vars<'a> = &'a dyn Fn(&str) -> Result<Option<Zeroizing<String>>, NotUnicode>;

pub(crate) struct NotUnicode;

/// Reads, checks and completes a configuration.
///
/// `own_store` says whether the store that was given to the builder keeps revoked tokens. `None` without such a store.
pub(crate) fn resolve(
    spec: &Spec,
    builder: &BuilderOptions,
    own_store: Option<bool>,
    vars: Vars<'_>,
) -> Result<Config, ConfigError> {
    let mut resolver = Resolver {
        spec,
        vars,
        draft: builder.draft.clone(),
        problems: Vec::new(),
        variables_read: Vec::new(),
        defaults_used: Vec::new(),
    };
    resolver.options(builder);
    let headers = resolver.headers(builder);
    let secrets = resolver.secrets(builder);
    let webhook_secrets = resolver.webhook_secrets(builder, &secrets);
    resolver.check_rules();
    resolver.check_list(own_store);
    resolver.warn_of_suspicions(builder);
    let names = builder.headers.iter().map(|(name, _)| name.as_str());
    let names = names.chain(spec.headers.iter().map(|(name, _)| *name));
    let header_names = names.filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect();
    let settings = resolver.draft.resolve();
    let mut problems = resolver.problems;
    problems.sort_by_key(|(option, _)| OptionKey::ALL.iter().position(|o| o == option));
    let unknown = builder.unknown.iter().map(|(name, advice)| ConfigProblem {
        option: name.clone(),
        variable: None,
        message: advice.clone(),
    });
    let problems = unknown.chain(problems.into_iter().map(|(_, problem)| problem)).collect::<Vec<_>>();
    match settings {
        Some(settings) if problems.is_empty() => {
            Ok(Config { settings, headers, header_names, secrets, webhook_secrets })
        }
        _ => Err(ConfigError { name: spec.name, problems }),
    }
}

struct Resolver<'a> {
    spec: &'a Spec,
    vars: Vars<'a>,
    draft: Draft,
    problems: Vec<(OptionKey, ConfigProblem)>,
    /// The environment variable that each option was read from. Errors of rules between options name it.
    variables_read: Vec<(Place, &'static str)>,
    /// The options whose variable is unset, and that have its default.
    defaults_used: Vec<OptionKey>,
}

impl Resolver<'_> {
    fn options(&mut self, builder: &BuilderOptions) {
        for set in &builder.options {
            match &set.result {
                Ok(note) => log_note(set.option, *note),
                Err(error) => self.report(set.option, set.option.to_string(), None, error.message()),
            }
        }
        for (option, value) in self.spec.options {
            if builder.has(*option) {
                continue;
            }
            let (text, variable) = self.read(*option, &option.to_string(), value);
            match text {
                Some(text) => self.set(*option, &text, variable),
                // `read` has reported the missing variable. Rules between options must not report the option again.
                None if !is_optional(value) => self.draft.set_later(*option, false),
                None => {}
            }
            if let Some(variable) = variable {
                self.variables_read.push((Place::Option(*option), variable));
            }
        }
    }

    fn headers(&mut self, builder: &BuilderOptions) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in &builder.headers {
            self.header(&mut map, name, value, None);
        }
        for (name, value) in self.spec.headers {
            if builder.headers.iter().any(|(set, _)| set.eq_ignore_ascii_case(name)) {
                continue;
            }
            let option = format!("{}[\"{name}\"]", OptionKey::Headers);
            if let (Some(text), variable) = self.read(OptionKey::Headers, &option, value) {
                self.header(&mut map, name, &text, variable);
            }
        }
        map
    }

    fn header(&mut self, map: &mut HeaderMap, name: &str, text: &str, variable: Option<&'static str>) {
        let parsed = self.draft.add_header(name, None).and_then(|()| header_value(text));
        let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(text).ok());
        let message = match (&parsed, header) {
            (Ok(()), Some((name, mut value))) => {
                value.set_sensitive(true);
                map.insert(name, value);
                return;
            }
            (Err(error), _) => error.message(),
            (Ok(()), None) => "not a header",
        };
        self.report(OptionKey::Headers, format!("{}[\"{name}\"]", OptionKey::Headers), variable, message);
    }

    fn secrets(&mut self, builder: &BuilderOptions) -> Vec<Zeroizing<String>> {
        let mut secrets = Vec::new();
        if let Some(given) = &builder.secrets {
            for secret in given {
                self.secret(&mut secrets, secret.clone(), None);
            }
            return secrets;
        }
        for value in self.spec.secrets {
            match self.read(OptionKey::Secret, &OptionKey::Secret.to_string(), value) {
                (Some(text), variable @ Some(_)) if self.draft.kind_has_secret_versions() => {
                    match versioned_secrets(&text) {
                        Ok(parts) => {
                            for secret in parts.unwrap_or_else(|| vec![&text]) {
                                self.secret(&mut secrets, Zeroizing::new(secret.to_owned()), variable);
                            }
                        }
                        Err(error) => {
                            let option = OptionKey::Secret;
                            self.report(option, option.to_string(), variable, error.message());
                        }
                    }
                }
                (Some(secret), variable) => self.secret(&mut secrets, secret, variable),
                (None, _) if !is_optional(value) => self.draft.set_later(OptionKey::Secret, false),
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
                    self.variables_read.push((Place::Secret(secrets.len()), variable));
                    self.variables_read.push((Place::Option(OptionKey::Secret), variable));
                }
                secrets.push(secret);
            }
            Err(error) => {
                self.report(OptionKey::Secret, OptionKey::Secret.to_string(), variable, error.message());
            }
        }
    }

    /// `of_tokens` are the values of `upstream.secret`.
    fn webhook_secrets(
        &mut self,
        builder: &BuilderOptions,
        of_tokens: &[Zeroizing<String>],
    ) -> Vec<Zeroizing<String>> {
        let option = OptionKey::WebhookSecret;
        let mut given = Vec::new();
        match &builder.webhook_secrets {
            Some(secrets) => given.extend(secrets.iter().map(|secret| (secret.clone(), None))),
            None => {
                for value in self.spec.webhook_secrets {
                    match self.read(option, &option.to_string(), value) {
                        (Some(secret), variable) => given.push((secret, variable)),
                        (None, _) if !is_optional(value) => self.draft.set_later(option, false),
                        (None, _) => {}
                    }
                }
            }
        }
        for (secret, variable) in &given {
            // A variable of Better Auth has several secrets, so its text is none of them.
            let is_variable_of_tokens = variable
                .is_some_and(|name| self.variables_read.contains(&(Place::Option(OptionKey::Secret), name)));
            if is_variable_of_tokens || of_tokens.contains(secret) {
                let message = "it is a value of `upstream.secret` too: generate another one with `openssl rand -base64 33`";
                self.report(option, option.to_string(), *variable, message);
            }
            if let Err(error) = self.draft.add_webhook_secret(secret) {
                self.report(option, option.to_string(), *variable, error.message());
            }
            self.variables_read.extend(variable.map(|variable| (Place::Option(option), variable)));
        }
        given.into_iter().map(|(secret, _)| secret).collect()
    }

    /// The text of a value, and the environment variable that it comes from.
    fn read(
        &mut self,
        option: OptionKey,
        name: &str,
        value: &Value,
    ) -> (Option<Zeroizing<String>>, Option<&'static str>) {
        let (variable, default, optional) = match value {
            Value::Literal(text) => return (Some(Zeroizing::new((*text).to_owned())), None),
            Value::Env { name, default, optional } => (*name, *default, *optional),
        };
        // Container tools pass an unset variable as an empty string, so an empty variable counts as unset.
        let text = match (self.vars)(variable) {
            Ok(text) => text.filter(|text| !text.is_empty()),
            Err(NotUnicode) => {
                self.report(option, name.to_owned(), Some(variable), "not valid UTF-8");
                return (None, Some(variable));
            }
        };
        if text.is_none() && default.is_some() {
            self.defaults_used.push(option);
        }
        let text = text.or_else(|| default.map(|default| Zeroizing::new(default.to_owned())));
        if text.is_none() && !optional {
            self.report(option, name.to_owned(), Some(variable), "not set");
        }
        (text, Some(variable))
    }

    fn set(&mut self, option: OptionKey, text: &str, variable: Option<&'static str>) {
        match self.draft.set(option, text) {
            Ok(note) => log_note(option, note),
            Err(error) => {
                self.report(option, option.to_string(), variable, error.message());
                self.draft.set_later(option, false);
            }
        }
    }

    fn check_rules(&mut self) {
        for problem in self.draft.check() {
            let variable = self.variable_of(problem.place);
            let option = problem.place.option();
            let message = self.with_variables(problem.message, problem.others);
            self.report(option, option.to_string(), variable, &message);
        }
    }

    /// The list of revoked tokens is kept in a store. The compiler cannot check that: the builder may give one.
    fn check_list(&mut self, own_store: Option<bool>) {
        let message = match own_store {
            _ if !self.draft.keeps_list() => return,
            Some(true) => return,
            Some(false) => "the store given to `session_store` keeps no revoked tokens: implement \
                            `SessionStore::keeps_revocations`, or write `session: { revocation: off }`"
                .to_owned(),
            None if self.draft.has_store() => return,
            None => {
                let written = format!("session: {{ store: {} }}", OptionKey::Store.example());
                let message = format!("the list is kept in a store, and there is none: write `{written}`");
                self.with_variables(message, &[OptionKey::Store])
            }
        };
        let option = OptionKey::Revocation;
        self.report(option, option.to_string(), self.variable_of(Place::Option(option)), &message);
    }

    /// Adds to a message which variables set these options.
    fn with_variables(&self, message: String, options: &[OptionKey]) -> String {
        let variables = options.iter().filter_map(|option| {
            let variable = self.variable_declared(*option)?;
            Some(format!("{variable} sets `{option}`"))
        });
        match variables.collect::<Vec<_>>().join(", ").as_str() {
            "" => message,
            variables => format!("{message} ({variables})"),
        }
    }

    /// The first variable that the declaration reads an option from.
    fn variable_declared(&self, option: OptionKey) -> Option<&'static str> {
        let options = self.spec.options.iter().filter(|(key, _)| *key == option).map(|(_, value)| value);
        let secrets = self.spec.secrets.iter().filter(|_| option == OptionKey::Secret);
        options.chain(secrets).find_map(|value| match value {
            Value::Env { name, .. } => Some(*name),
            Value::Literal(_) => None,
        })
    }

    /// The variable that an option was read from.
    fn variable_of(&self, place: Place) -> Option<&'static str> {
        self.variables_read.iter().find(|(read, _)| *read == place).map(|(_, variable)| *variable)
    }

    fn warn_of_suspicions(&self, builder: &BuilderOptions) {
        for suspicion in self.draft.suspicions() {
            if self.is_literal(suspicion.option, builder) || self.has_effect_elsewhere(suspicion.option) {
                continue;
            }
            tracing::warn!(
                target: "auth_proxy::config",
                proxy = self.spec.name,
                option = %suspicion.option,
                "{}",
                suspicion.message
            );
        }
    }

    /// Whether the value is written in the declaration. The compiler has warned of it, unless its effect depends on a
    /// variable, and then it has an effect in another environment.
    fn is_literal(&self, option: OptionKey, builder: &BuilderOptions) -> bool {
        let is_literal =
            |(key, value): &(OptionKey, Value)| *key == option && matches!(value, Value::Literal(_));
        !builder.has(option) && self.spec.options.iter().any(is_literal)
    }

    /// Whether the value is the default of a variable, which is for several environments: in one of them the option may
    /// have no effect. A risk is told in each.
    fn has_effect_elsewhere(&self, option: OptionKey) -> bool {
        let is_risk = matches!(option, OptionKey::PublicUrl | OptionKey::CorsOrigins | OptionKey::Hosts);
        !is_risk && self.defaults_used.contains(&option)
    }

    fn report(&mut self, option: OptionKey, name: String, variable: Option<&'static str>, message: &str) {
        let problem = ConfigProblem { option: name, variable, message: message.to_owned() };
        self.problems.push((option, problem));
    }
}

fn log_note(option: OptionKey, note: Option<&'static str>) {
    if let Some(note) = note {
        tracing::info!(target: "auth_proxy::config", %option, "{note}");
    }
}

fn is_optional(value: &Value) -> bool {
    matches!(value, Value::Env { optional: true, .. })
}

/// Warns about a short secret. RFC 7518, section 3.2, requires keys as long as the hash; Auth.js generates 32 bytes or
/// more.
fn warn_if_short(name: &str, info: SecretInfo, variable: Option<&str>) {
    if info.pem == Pem::No && info.bytes < 32 {
        tracing::warn!(
            target: "auth_proxy::config",
            proxy = name,
            variable,
            bytes = info.bytes,
            "the secret is shorter than 32 bytes: generate one with `npx auth secret` or `openssl rand -base64 33`"
        );
    }
}

impl Config {
    /// Whether this process can decode session tokens itself, with a secret.
    pub(crate) fn decodes(&self) -> bool {
        self.settings.strategy == Strategy::Jwt && !self.secrets.is_empty()
    }

    /// Whether tokens are verified with keys that their issuer publishes.
    pub(crate) fn has_published_keys(&self) -> bool {
        self.settings.token == TokenFormat::Jwks
    }
}
