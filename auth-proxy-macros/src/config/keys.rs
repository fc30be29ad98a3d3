//! Messages for an unknown key, and the option that is probably meant.

use auth_proxy_rules::{Draft, Group, OptionKey, nearest, snake_case};
use proc_macro2::Ident;

use crate::errors::Errors;
use crate::misspelt::Misspelt;

/// Options of Auth.js and of `@robojs/auth` that are configured at the upstream.
const UPSTREAM_OPTIONS: [&str; 22] = [
    "account",
    "email_password",
    "generate_session_token",
    "max_age",
    "passkey",
    "update_age",
    "providers",
    "adapter",
    "callbacks",
    "pages",
    "events",
    "email",
    "emails",
    "cookies",
    "jwt",
    "debug",
    "theme",
    "logger",
    "trust_host",
    "redirect_proxy_url",
    "use_secure_cookies",
    "skip_csrf_check",
];

/// Other names that people try, and the options that they mean.
const ALIASES: [(&str, &str); 20] = [
    ("aud", "upstream.audience"),
    ("iss", "upstream.issuer"),
    ("allowed_hosts", "hosts"),
    ("strategy", "upstream.session_strategy"),
    ("secrets", "upstream.secret"),
    ("cookie", "upstream.cookie_name"),
    ("session_cookie", "upstream.cookie_name"),
    ("url", "upstream.base_url"),
    ("upstream_url", "upstream.base_url"),
    ("auth_url", "upstream.base_url"),
    ("server_url", "upstream.base_url"),
    ("endpoint", "upstream.base_url"),
    ("target", "upstream.base_url"),
    ("address", "upstream.base_url"),
    ("max_body_size", "upstream.body_limit"),
    ("signin_path", "sign_in_path"),
    ("session_store", "session.store"),
    ("redis", "session.store"),
    ("redis_url", "session.store"),
    ("backchannel_logout", "revocation.back_channel"),
];

const GROUPS: [Group; 5] = [Group::Top, Group::Upstream, Group::Session, Group::Cors, Group::Rewrite];

/// Reports a key that is not an option of its block.
pub(super) fn report_unknown(group: Group, key: &Ident, errors: &mut Errors) {
    let name = key.to_string();
    errors.unknown_word(key, unknown(group, &name), misspelt(group, key, similar(group, &name)));
}

/// Reports a key without colon and value, while it is being typed.
pub(super) fn report_half_typed(group: Group, key: &Ident, errors: &mut Errors) {
    let name = key.to_string();
    let meant = match starting_with(group, &name).as_slice() {
        [meant] => Some(*meant),
        [] => similar(group, &name),
        _ => None,
    };
    errors.unknown_word(key, half_typed(group, &name), misspelt(group, key, meant));
}

fn misspelt(group: Group, key: &Ident, meant: Option<&str>) -> Option<Misspelt> {
    let meant = meant.filter(|meant| key != meant)?;
    Misspelt::new(key, meant, &names(group).collect::<Vec<_>>(), options_of(group))
}

/// What rustc calls the options of a block.
fn options_of(group: Group) -> &'static str {
    match group {
        Group::Top => "AuthProxyOptions",
        Group::Upstream => "UpstreamOptions",
        Group::Session => "SessionOptions",
        Group::Cors => "CorsOptions",
        Group::Rewrite => "RewriteOptions",
        Group::Jwks => "JwksOptions",
        Group::Revocation => "RevocationOptions",
        Group::SignInLimit => "SignInLimitOptions",
    }
}

/// The option or block of this block that a misspelt key means. `None` if the key has another meaning, such as an
/// option of another block.
fn similar(group: Group, key: &str) -> Option<&'static str> {
    let snake = snake_case(key);
    let is_misspelt = !UPSTREAM_OPTIONS.contains(&snake.as_str())
        && elsewhere(group, &snake).is_none()
        && !is_block(Group::Top, &snake)
        && alias(&snake).is_none();
    nearest(key, names(group)).filter(|name| is_misspelt && *name != snake)
}

/// The message for a key that is not an option of its block.
fn unknown(group: Group, key: &str) -> String {
    let snake = snake_case(key);
    if snake != key && (OptionKey::find(group, &snake).is_some() || is_block(group, &snake)) {
        return format!("`{key}` is spelled `{snake}`");
    }
    if let Some(name) = similar(group, key) {
        return format!("unknown option `{key}`, did you mean `{name}`?");
    }
    if UPSTREAM_OPTIONS.contains(&snake.as_str()) {
        return format!("`{key}` is configured at the upstream, which handles the sign-in: remove it here");
    }
    if let Some(option) = elsewhere(group, &snake) {
        return match option.group() {
            Group::Top => {
                format!("`{snake}` stands at the top level: move it out of `{}: {{ .. }}`", group.key())
            }
            other => {
                format!("`{snake}` belongs to another block: move it into `{}: {{ .. }}`", other.key())
            }
        };
    }
    if is_block(Group::Top, &snake) {
        return format!("`{snake}` is a block at the top level: move it out of `{}: {{ .. }}`", group.key());
    }
    if let Some(option) = alias(&snake) {
        return did_you_mean(group, key, option);
    }
    let others = || OptionKey::ALL.iter().filter(|option| option.group() != group);
    let near = nearest(key, others().map(|option| option.key()));
    match others().find(|option| Some(option.key()) == near) {
        Some(option) => did_you_mean(group, key, *option),
        None => format!("unknown option `{key}`, expected one of {}", list(names(group))),
    }
}

fn did_you_mean(group: Group, key: &str, option: OptionKey) -> String {
    let place = match option.group() {
        other if other == group => String::new(),
        Group::Top => " at the top level".to_owned(),
        other => format!(" in `{}: {{ .. }}`", other.key()),
    };
    format!("unknown option `{key}`, did you mean `{}`{place}?", option.key())
}

/// The option that another name means.
fn alias(snake: &str) -> Option<OptionKey> {
    let (_, name) = ALIASES.iter().find(|(alias, _)| *alias == snake)?;
    OptionKey::ALL.iter().copied().find(|option| option.to_string() == *name)
}

/// The message for a key without colon and value, while it is being typed.
fn half_typed(group: Group, key: &str) -> String {
    match (OptionKey::find(group, key), starting_with(group, key).as_slice()) {
        (Some(option), _) => format!("`{option}` needs a value: write `{key}: {}`", option.example()),
        (None, [name]) if *name == key => no_block(Group::block(key).unwrap_or(group), None),
        (None, [name]) => format!("unknown option `{key}`, did you mean `{name}`?"),
        (None, []) => unknown(group, key),
        (None, names) => {
            format!("unknown option `{key}`, did you mean one of {}?", list(names.iter().copied()))
        }
    }
}

/// The message for a block without braces. An address in place of the upstream's block is its `base_url`.
pub(super) fn no_block(group: Group, text: Option<&str>) -> String {
    let key = group.key();
    let option = match group {
        Group::Upstream => Some(OptionKey::BaseUrl),
        group => OptionKey::in_group(group).next(),
    };
    let entry = option.map(|option| {
        let address = text.filter(|text| Draft::default().set(option, text).is_ok());
        let value = address.map_or_else(|| option.example().to_owned(), |text| format!("{text:?}"));
        format!("{}: {value}", option.key())
    });
    format!("`{key}` is a block: write `{key}: {{ {} }}`", entry.unwrap_or_default())
}

fn starting_with(group: Group, key: &str) -> Vec<&'static str> {
    names(group).filter(|name| name.starts_with(key)).collect()
}

/// The option of another block that an unknown key most likely stands for.
pub(super) fn meant_elsewhere(group: Group, key: &str) -> Option<OptionKey> {
    let snake = snake_case(key);
    elsewhere(group, &snake).or_else(|| alias(&snake)).or_else(|| {
        let others = || OptionKey::ALL.iter().copied().filter(|option| option.group() != group);
        let near = nearest(key, others().map(OptionKey::key))?;
        others().find(|option| option.key() == near)
    })
}

/// The option of this block that an unknown key most likely stands for.
pub(super) fn meant(group: Group, key: &str) -> Option<OptionKey> {
    let snake = snake_case(key);
    OptionKey::find(group, &snake).or_else(|| match elsewhere(group, &snake) {
        // `hosts` in `upstream` is the option of the top level and not a misspelled `host`.
        Some(_) => None,
        None => match alias(&snake) {
            Some(option) => Some(option).filter(|option| option.group() == group),
            None => OptionKey::find(group, nearest(key, names(group))?),
        },
    })
}

/// The option with exactly this name in another block.
fn elsewhere(group: Group, key: &str) -> Option<OptionKey> {
    GROUPS.into_iter().filter(|other| *other != group).find_map(|other| OptionKey::find(other, key))
}

/// The block that an unknown key most likely stands for.
pub(super) fn meant_block(group: Group, key: &str) -> Option<&'static str> {
    nearest(key, names(group)).filter(|name| is_block(group, name))
}

/// Whether this is the key of a block at the top level.
pub(super) fn is_block(group: Group, key: &str) -> bool {
    group == Group::Top && Group::block(key).is_some()
}

fn names(group: Group) -> impl Iterator<Item = &'static str> {
    let blocks = Group::BLOCKS.into_iter().map(Group::key).filter(move |_| group == Group::Top);
    OptionKey::in_group(group).map(OptionKey::key).chain(blocks)
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
