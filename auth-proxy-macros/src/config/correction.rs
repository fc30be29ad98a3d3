//! Finds the value that a refused text most likely means, so that an error can say what to write.

use auth_proxy_rules::{DURATION_UNITS, Draft, OptionKey, SIZE_UNITS, STORE_SCHEMES, Shape, nearest};

/// The text that the rules accept in place of this one. `refusal` is the message of the rule.
pub(super) fn corrected(option: OptionKey, text: &str, refusal: &str) -> Option<String> {
    let candidates = match option.shape() {
        Shape::Text | Shape::WordOrText(_) | Shape::List => texts(option, text),
        Shape::Duration | Shape::DurationOrOff | Shape::DurationOrAlways => {
            let units = [("", 1_000), ("", 1), ("d", 86_400_000), ("min", 60_000), ("sec", 1_000)];
            quantities(text, refusal, &DURATION_UNITS, &units)
        }
        Shape::Size => {
            // A small number is no count of bytes.
            let bytes = if text.len() > 3 { 1 } else { 1 << 20 };
            let units = [("", bytes), ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)];
            quantities(text, refusal, &SIZE_UNITS, &units)
        }
        Shape::Count | Shape::CountOrOff => bound(text, refusal, &[("", 1)]).into_iter().collect(),
        Shape::Store => stores(text),
        _ => Vec::new(),
    };
    candidates.into_iter().find(|candidate| Draft::default().set(option, candidate).is_ok())
}

/// The end of a message: what to write. The value is in quotes if the refused text is, or if it is no quantity.
pub(super) fn advice(option: OptionKey, text: &str, refusal: &str, in_quotes: bool) -> String {
    match corrected(option, text, refusal) {
        Some(value) if in_quotes => format!(": write `{value:?}`"),
        Some(value) => format!(": write `{value}`"),
        None => String::new(),
    }
}

fn texts(option: OptionKey, text: &str) -> Vec<String> {
    match option {
        OptionKey::BasePath | OptionKey::UpstreamBasePath => paths(text),
        OptionKey::BaseUrl if text.starts_with('/') || text.contains("unix:") => sockets(text),
        OptionKey::BaseUrl | OptionKey::PublicUrl | OptionKey::PublicOrigins | OptionKey::CorsOrigins => {
            urls(text)
        }
        OptionKey::Hosts | OptionKey::Host | OptionKey::CookieDomain => hosts(text),
        OptionKey::CookieName => {
            let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            vec![text.chars().map(|c| if is_good(c) { c } else { '_' }).collect()]
        }
        _ => Vec::new(),
    }
}

fn paths(text: &str) -> Vec<String> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let mut segments = Vec::new();
    for segment in path.split('/').map(|segment| segment.trim_matches(['{', '}', ':', '*'])) {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let written = format!("/{}", segments.join("/"));
    vec![written, "/api/auth".to_owned()]
}

fn urls(text: &str) -> Vec<String> {
    let whole = text.split(['?', '#']).next().unwrap_or_default();
    let (_, rest) = whole.split_once("://").unwrap_or(("", whole));
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    let scheme = if whole.starts_with("http://") { "http" } else { "https" };
    vec![format!("{scheme}://{rest}"), format!("{scheme}://{host}")]
}

/// The address of a Unix socket, for a path alone and for the forms of nginx and Docker.
fn sockets(text: &str) -> Vec<String> {
    let path = text.split_once("unix:").map_or(text, |(_, path)| path).replace("%2F", "/");
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end();
    // A path relative to a folder that is not known, and the name of an abstract socket.
    if path.starts_with(['.', '@', '\\']) || path.split('/').next().is_some_and(|first| first.contains('@')) {
        return Vec::new();
    }
    let (path, prefix) = path.split_once(':').unwrap_or((path, ""));
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let socket = format!("unix:/{}", segments.join("/"));
    match prefix.trim_matches('/') {
        "" => vec![socket],
        prefix => vec![format!("{socket}:/{prefix}")],
    }
}

fn hosts(text: &str) -> Vec<String> {
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    vec![host.to_owned(), name.to_owned()]
}

/// Addresses of Redis with another scheme, or without one.
fn stores(text: &str) -> Vec<String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("redis", text));
    // `https`, `tls` and `valkeys` have TLS.
    let other = if scheme.ends_with('s') { "rediss" } else { "redis" };
    let near = nearest(scheme, STORE_SCHEMES).unwrap_or(other);
    vec![format!("{near}://{rest}")]
}

/// A number with another unit, or the bound of the rule. `units` has the smallest unit first. `others` are further units, with the factor of each.
fn quantities(text: &str, refusal: &str, units: &[(&str, u64)], others: &[(&str, u64)]) -> Vec<String> {
    let Some((number, unit)) = number_and_unit(text) else { return Vec::new() };
    let known = units.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&unit));
    let other = others.iter().filter(|(start, _)| match *start {
        "" => unit.is_empty(),
        start => unit.starts_with(&start.to_ascii_lowercase()),
    });
    let written = known.chain(other).filter_map(|(_, factor)| whole(number * *factor as f64, units));
    written.chain(bound(text, refusal, units)).collect()
}

fn number_and_unit(text: &str) -> Option<(f64, String)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '_' | '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.replace('_', "").parse().ok()?, unit.to_ascii_lowercase()))
}

/// The quantity in the largest unit in which it is whole.
fn whole(value: f64, units: &[(&str, u64)]) -> Option<String> {
    if !(1.0..=1e15).contains(&value) || value.fract() != 0.0 {
        return None;
    }
    let value = value as u64;
    let (unit, factor) = units.iter().rev().find(|(_, factor)| value.is_multiple_of(*factor))?;
    Some(format!("{}{unit}", value / factor))
}

/// The bound in `from .. to ..` that the text is beyond: the lower one for a negative number.
fn bound(text: &str, refusal: &str, units: &[(&str, u64)]) -> Option<String> {
    let (_, bounds) = refusal.split_once(" from ")?;
    let (low, high) = bounds.split_once(" to ")?;
    let [low, high] = [low, high].map(|bound| bound.trim_matches('`').split([',', '`', ' ']).next());
    let amount = |text: &str| {
        let (number, unit) = number_and_unit(text)?;
        // The unit of a zero does not matter.
        let factor = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(&unit) || number == 0.0)?.1;
        Some(number * factor as f64)
    };
    let is_low =
        text.starts_with('-') || matches!((amount(text), amount(low?)), (Some(n), Some(low)) if n < low);
    if is_low { low } else { high }.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_texts_are_corrected_to_what_the_rules_accept() {
        for (option, text, expected) in [
            (OptionKey::BasePath, "api/auth", Some("/api/auth")),
            (OptionKey::BasePath, "/api//auth", Some("/api/auth")),
            (OptionKey::BasePath, "/api/../auth", Some("/auth")),
            (OptionKey::BasePath, "/api/auth?x=1", Some("/api/auth")),
            (OptionKey::BasePath, "/", Some("/api/auth")),
            (OptionKey::BaseUrl, "auth.example.com", Some("https://auth.example.com")),
            (OptionKey::BaseUrl, "https://auth.example.com#top", Some("https://auth.example.com")),
            (OptionKey::BaseUrl, "https://user:pw@auth.example.com/a", Some("https://auth.example.com/a")),
            (OptionKey::BaseUrl, "ftp://auth.example.com", Some("https://auth.example.com")),
            (OptionKey::BaseUrl, "/run/auth.sock", Some("unix:/run/auth.sock")),
            (OptionKey::BaseUrl, "unix://run/auth.sock", Some("unix:/run/auth.sock")),
            (OptionKey::BaseUrl, "unix:///run/a/../auth.sock/", Some("unix:/run/auth.sock")),
            (OptionKey::BaseUrl, "unix:run/auth.sock", Some("unix:/run/auth.sock")),
            (OptionKey::BaseUrl, "unix:/run/auth.sock:tenant", Some("unix:/run/auth.sock:/tenant")),
            (OptionKey::BaseUrl, "unix:/run/auth.sock?a#b", Some("unix:/run/auth.sock")),
            (OptionKey::BaseUrl, "http://unix:/run/auth.sock:/a", Some("unix:/run/auth.sock:/a")),
            (OptionKey::BaseUrl, "http+unix://%2Frun%2Fauth.sock", Some("unix:/run/auth.sock")),
            (OptionKey::BaseUrl, "unix:./auth.sock", None),
            (OptionKey::BaseUrl, "unix:@auth", None),
            (OptionKey::PublicUrl, "unix:/run/auth.sock", None),
            (OptionKey::PublicUrl, "http://localhost:3000/login", Some("http://localhost:3000")),
            (OptionKey::PublicOrigins, "*", None),
            (OptionKey::Hosts, "https://app.example.com/login", Some("app.example.com")),
            (OptionKey::Hosts, "*.example.com", None),
            (OptionKey::CookieDomain, "example.com:80", Some("example.com")),
            (OptionKey::CookieName, "a=b", Some("a_b")),
            (OptionKey::Timeout, "5", Some("5s")),
            (OptionKey::Timeout, "5000", Some("5s")),
            (OptionKey::Timeout, "5sec", Some("5s")),
            (OptionKey::Timeout, "1.5s", Some("1500ms")),
            (OptionKey::Timeout, "1h", Some("10m")),
            (OptionKey::Timeout, "0s", Some("10ms")),
            (OptionKey::Timeout, "soon", None),
            (OptionKey::Renew, "1d", Some("24h")),
            (OptionKey::Cache, "1ms", Some("10ms")),
            (OptionKey::Cache, "2h", Some("1h")),
            (OptionKey::Recheck, "100ms", Some("1s")),
            (OptionKey::Recheck, "2h", Some("1h")),
            (OptionKey::Recheck, "90", Some("90s")),
            (OptionKey::Store, "redsi://h:6379", Some("redis://h:6379")),
            (OptionKey::Store, "redis-sentinel://h:1/main", Some("redis+sentinel://h:1/main")),
            (OptionKey::Store, "http://h:6379", Some("redis://h:6379")),
            (OptionKey::Store, "localhost:6379", Some("redis://localhost:6379")),
            (OptionKey::Store, "valkeys://h", Some("rediss://h")),
            (OptionKey::Store, "memcached://h:1/x", None),
            (OptionKey::BodyLimit, "1MB", Some("1MiB")),
            (OptionKey::BodyLimit, "1048576", Some("1MiB")),
            (OptionKey::BodyLimit, "5", Some("5MiB")),
            (OptionKey::Retries, "11", Some("10")),
            (OptionKey::CacheEntries, "0", Some("1")),
        ] {
            let refusal = Draft::default().set(option, text).unwrap_err();
            assert_eq!(corrected(option, text, &refusal.quoted()).as_deref(), expected, "{option}: {text}");
        }
    }
}
