//! The options of an `auth_proxy!` block, read from the file. The table of options in `auth-proxy-rules` decides which there
//! are, so a new option needs nothing here.

use std::ops::Range;

use auth_proxy::options::Builder;
use auth_proxy::verdict::PathRules;
use auth_proxy_rules::{
    Draft, Group, OptionKey, Place, Shape, has_password, is_credential, nearest, versioned_secrets,
};
use toml::de::DeValue;
use zeroize::Zeroizing;

use super::mistake::Mistake;
use super::reader::{Reader, Table, Value, kind};
use super::text::Text;
use super::wording;
use crate::gateway::Gateway;

/// The options as they are written, checked by the rules of each and by the rules between them.
#[derive(Default)]
pub(crate) struct AuthOptions {
    texts: Vec<(OptionKey, Zeroizing<String>)>,
    headers: Vec<(String, Zeroizing<String>)>,
    secrets: Vec<Zeroizing<String>>,
    webhook_secrets: Vec<Zeroizing<String>>,
    /// The full name of each option or header that is set, and its place.
    places: Vec<(String, Range<usize>)>,
    /// The sign-in page, if it is no page of the sign-in routes. Not known while there are mistakes.
    sign_in_page: Option<String>,
}

/// What is known of a block while it is read.
struct Reading<'r, 's> {
    reader: &'r mut Reader<'s>,
    draft: Draft,
    options: AuthOptions,
    secret_places: Vec<Range<usize>>,
    /// The places of the tables.
    tables: Vec<(Group, Range<usize>)>,
}

/// Reads the options from the top level, of which the gateway's own were taken, and from the tables of the blocks. Returns
/// the warnings too.
pub(crate) fn read(mut top: Table<'_, '_>, reader: &mut Reader<'_>) -> (AuthOptions, Vec<Mistake>) {
    let mut reading = Reading {
        reader,
        draft: Draft::default(),
        options: AuthOptions::default(),
        secret_places: Vec::new(),
        tables: Vec::new(),
    };
    let mut entries = Vec::new();
    let others = top.known().to_vec();
    for group in Group::BLOCKS {
        let value = top.take(group.key());
        reading.tables.extend(value.map(|value| (group, value.span())));
        let table = reading.reader.table(group.key(), value);
        entries.extend(table.map(Table::rest).into_iter().flatten().map(|entry| (group, entry)));
    }
    entries.extend(top.rest().into_iter().map(|entry| (Group::Top, entry)));
    let mut composites = Vec::new();
    for (group, (key, span, value)) in entries {
        match OptionKey::find(group, key) {
            Some(option) => match option.shape() {
                Shape::Headers | Shape::Secret => composites.push((option, value)),
                Shape::Expression => {
                    reading
                        .reader
                        .add(span, format!("`{option}` is Rust code, which a file cannot have: remove it"));
                }
                _ => reading.option(option, value),
            },
            None => {
                let (message, meant) = unknown(group, key, &others);
                reading.reader.add(span, message);
                // It counts as set: rules between options must not report it as missing.
                meant.into_iter().for_each(|option| reading.draft.set_later(option, false));
            }
        }
    }
    // `upstream.kind`, which is read above, decides how the text of a secret is read.
    for (option, value) in composites {
        match option.shape() {
            Shape::Headers => reading.headers(value),
            _ => reading.secrets(option, value),
        }
    }
    reading.check_rules();
    let warnings = reading.warnings();
    if reading.reader.mistakes.is_empty() {
        reading.options.sign_in_page = reading.draft.resolve().and_then(|settings| {
            let page = settings.sign_in_path.split(['?', '#']).next().unwrap_or_default().to_owned();
            let mut bases = settings.bases();
            (!bases.any(|base| page.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'))))
                .then_some(page)
        });
    }
    (reading.options, warnings)
}

/// The message for a key that is no option, and the option that is probably meant.
fn unknown(group: Group, key: &str, others: &[&str]) -> (String, Option<OptionKey>) {
    let place = |group: Group| match group {
        Group::Top => "at the top of the file, before the first table".to_owned(),
        group => format!("in `[{}]`", group.key()),
    };
    if let Some(option) = OptionKey::ALL.iter().find(|option| option.key() == key) {
        return (format!("`{key}` belongs {}", place(option.group())), Some(*option));
    }
    let here =
        OptionKey::in_group(group).filter(|option| option.shape() != Shape::Expression).map(OptionKey::key);
    let mut names: Vec<&str> = here.collect();
    if group == Group::Top {
        names.extend(Group::BLOCKS.map(Group::key));
        names.extend(others);
    }
    let in_table = if group == Group::Top { String::new() } else { format!(" {}", place(group)) };
    match nearest(key, names.iter().copied()) {
        Some(near) => {
            let message = format!("there is no option `{key}`{in_table}: write `{near}`");
            (message, OptionKey::find(group, near))
        }
        None => (format!("there is no option `{key}`{in_table}: remove it"), None),
    }
}

/// What to write for an option.
fn expected(option: OptionKey) -> String {
    format!("`{} = {}`", option.key(), wording::value(option.example()))
}

impl Reading<'_, '_> {
    fn option(&mut self, option: OptionKey, value: &Value<'_>) {
        self.options.places.push((option.to_string(), value.span()));
        let count = self.reader.mistakes.len();
        let text = match option.shape() {
            Shape::List | Shape::Names => self.list(option, value),
            _ => self.single(option, value),
        };
        // A rule between items, such as a name given twice.
        if self.reader.mistakes.len() == count
            && let Some(text) = text
        {
            match self.draft.set(option, &text.value) {
                Ok(_) => {
                    self.options.texts.push((option, text.value));
                    return;
                }
                Err(error) => {
                    let refusal = if text.is_literal { error.quoted() } else { error.message().to_owned() };
                    self.add(value.span(), format!("`{option}`: {refusal}"));
                }
            }
        }
        // It is set: rules between options must not report it as missing.
        self.draft.set_later(option, false);
    }

    /// The text of a value that is not a list.
    fn single(&mut self, option: OptionKey, value: &Value<'_>) -> Option<Text> {
        let literal = |text: String| Some(Text { value: Zeroizing::new(text), is_literal: true });
        match (option.shape(), value.get_ref()) {
            (Shape::Count | Shape::CountOrOff, DeValue::Integer(number)) => literal(number.to_string()),
            (Shape::Bool, DeValue::Boolean(switch)) => literal(switch.to_string()),
            _ => {
                let text = self.reader.text(value, &expected(option))?;
                if option.shape() == Shape::Store && text.is_literal && has_password(&text.value) {
                    let written = expected(option);
                    self.add(value.span(), format!("secrets do not belong in this file: write {written}"));
                    return None;
                }
                Some(text)
            }
        }
    }

    /// The items of a list, each checked alone, as one text.
    fn list(&mut self, option: OptionKey, value: &Value<'_>) -> Option<Text> {
        let items = self.reader.items(value, &expected(option))?;
        let count = self.reader.mistakes.len();
        for (item, span) in &items {
            if let Err(error) = Draft::default().set(option, &item.value) {
                let refusal = if item.is_literal { error.quoted() } else { error.message().to_owned() };
                self.add(span.clone(), format!("`{option}`: {refusal}"));
            }
        }
        let texts: Vec<&str> = items.iter().map(|(item, _)| item.value.as_str()).collect();
        let is_literal = items.iter().all(|(item, _)| item.is_literal);
        (self.reader.mistakes.len() == count)
            .then(|| Text { value: Zeroizing::new(texts.join(",")), is_literal })
    }

    fn headers(&mut self, value: &Value<'_>) {
        let DeValue::Table(headers) = value.get_ref() else {
            let written = expected(OptionKey::Headers);
            self.add(value.span(), format!("expected {written}, found {}", kind(value)));
            return;
        };
        for (name, value) in headers {
            let written = name.get_ref().as_ref();
            self.options.places.push((format!("{}[\"{written}\"]", OptionKey::Headers), value.span()));
            if let Err(error) = self.draft.add_header(written, None) {
                self.add(name.span(), error.quoted());
                continue;
            }
            let Some(text) = self.reader.text(value, "a text in quotes") else { continue };
            if text.is_literal && is_credential(written, &text.value) {
                self.add(
                    value.span(),
                    "credentials do not belong in this file: write `\"${AUTH_PROXY_KEY}\"`, with the whole text in the variable",
                );
            } else if let Err(error) = auth_proxy_rules::header_value(&text.value) {
                self.add(value.span(), error.message());
            } else {
                self.options.headers.push((written.to_owned(), text.value));
            }
        }
    }

    /// Reads one secret or a list of them, newest first.
    fn secrets(&mut self, option: OptionKey, value: &Value<'_>) {
        self.options.places.push((option.to_string(), value.span()));
        let one = std::slice::from_ref(value);
        let values: Vec<&Value<'_>> = match value.get_ref() {
            DeValue::Array(list) if list.is_empty() => {
                self.add(
                    value.span(),
                    format!("the list is empty: write {}, or remove it", expected(option)),
                );
                Vec::new()
            }
            DeValue::Array(list) => list.iter().collect(),
            _ => one.iter().collect(),
        };
        for value in values {
            let count = self.reader.mistakes.len();
            self.secret(option, value);
            if self.reader.mistakes.len() > count {
                self.draft.set_later(option, false);
                self.secret_places.push(value.span());
            }
        }
    }

    fn secret(&mut self, option: OptionKey, value: &Value<'_>) {
        let Some(text) = self.reader.text(value, &expected(option)) else { return };
        if text.is_literal {
            let written = expected(option);
            let message = format!(
                "secrets do not belong in this file: write {written}, or `{} = \"file:/run/secrets/auth-secret\"`",
                option.key()
            );
            self.add(value.span(), message);
            return;
        }
        if option == OptionKey::WebhookSecret {
            match self.draft.add_webhook_secret(&text.value) {
                Ok(()) => self.options.webhook_secrets.push(text.value),
                Err(error) => self.add(value.span(), error.message()),
            }
            return;
        }
        let versions = match self.draft.kind_has_secret_versions() {
            true => versioned_secrets(&text.value).map_err(|error| error.message().to_owned()),
            false => Ok(None),
        };
        let parts = match versions {
            Ok(parts) => parts.unwrap_or_else(|| vec![text.value.as_str()]),
            Err(message) => return self.add(value.span(), message),
        };
        for part in parts {
            match self.draft.add_secret(part) {
                Ok(_) => {
                    self.secret_places.push(value.span());
                    self.options.secrets.push(Zeroizing::new(part.to_owned()));
                }
                Err(error) => self.add(value.span(), error.message()),
            }
        }
    }

    fn check_rules(&mut self) {
        for problem in self.draft.check() {
            if matches!(problem.place, Place::Missing(_)) && !self.reader.is_complete {
                continue;
            }
            let option = problem.place.option();
            let span = match problem.place {
                Place::Secret(n) => self.secret_places.get(n).cloned(),
                Place::Option(_) => None,
                Place::Missing(option) => self
                    .tables
                    .iter()
                    .find(|(group, _)| *group == option.group())
                    .map(|(_, span)| span.clone()),
            };
            let span = span.or_else(|| self.options.place(&option.to_string())).unwrap_or(0..0);
            self.add(span, problem.quoted());
        }
    }

    /// Values that are allowed and probably not meant.
    fn warnings(&self) -> Vec<Mistake> {
        let warning = |suspicion: auth_proxy_rules::Suspicion| Mistake {
            span: self.options.place(&suspicion.option.to_string()).unwrap_or(0..0),
            message: format!("warning: {}", wording::toml_wording(suspicion.message)),
        };
        self.draft.suspicions().into_iter().map(warning).collect()
    }

    fn add(&mut self, span: Range<usize>, message: impl AsRef<str>) {
        self.reader.add(span, wording::toml_wording(message.as_ref()));
    }
}

impl AuthOptions {
    /// The place of an option by its full name.
    pub(crate) fn place(&self, name: &str) -> Option<Range<usize>> {
        self.places.iter().find(|(set, _)| set == name).map(|(_, span)| span.clone())
    }

    /// `upstream.base_url` with its name and its place.
    pub(crate) fn base_url(&self) -> Option<(&'static str, String, Range<usize>)> {
        let (_, url) = self.texts.iter().find(|(option, _)| *option == OptionKey::BaseUrl)?;
        Some(("upstream.base_url", url.to_string(), self.place("upstream.base_url")?))
    }

    /// A warning if the rules ask for a session where visitors sign in. `otherwise` is its place, if no option has one.
    pub(crate) fn closed_sign_in_page(
        &self,
        rules: &PathRules<Gateway>,
        otherwise: Range<usize>,
    ) -> Option<Mistake> {
        let page = self.sign_in_page.as_deref().filter(|page| !rules.lets_guests_pass(page))?;
        let message = format!(
            "warning: the sign-in page `{page}` needs a session, so nobody can sign in: add `[[rules]]` with \
             `path = \"{page}\"` and `require = \"public\"`, or set `sign_in_path`"
        );
        Some(Mistake { span: self.place("sign_in_path").unwrap_or(otherwise), message })
    }

    #[cfg(test)]
    pub(crate) fn places_begin_with(&self, name: &str) -> bool {
        self.places.iter().any(|(set, _)| set.starts_with(name))
    }

    /// A builder with these options. It reads no variable by itself.
    pub(crate) fn builder(&self) -> Builder<Gateway> {
        let text = |secret: &Zeroizing<String>| secret.to_string();
        let mut builder = Gateway::builder().vars::<&str, &str>([]);
        for (option, value) in &self.texts {
            builder = builder.option(&option.to_string(), value);
        }
        if !self.secrets.is_empty() {
            builder = builder.upstream_secret(self.secrets.iter().map(text));
        }
        if !self.webhook_secrets.is_empty() {
            builder = builder.revocation_webhook_secret(self.webhook_secrets.iter().map(text));
        }
        builder.upstream_headers(self.headers.iter().map(|(name, value)| (name.clone(), value.to_string())))
    }

    /// Whether the options are the same, so that a proxy with them can go on.
    pub(crate) fn are_same(&self, other: &Self) -> bool {
        self.texts == other.texts
            && self.headers == other.headers
            && self.secrets == other.secrets
            && self.webhook_secrets == other.webhook_secrets
    }
}
