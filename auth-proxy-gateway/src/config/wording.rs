//! Advice of the rules in the words of the configuration file: the rules write `session: { cache: 30s }`, as in an
//! `auth_proxy!` block.

/// Rewrites each piece of a block in a message as TOML.
pub(crate) fn toml_wording(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    for (n, piece) in message.split('`').enumerate() {
        let is_code = n % 2 == 1;
        match if is_code { of_code(piece) } else { None } {
            Some(toml) => text.push_str(&toml),
            None if is_code => text.extend(["`", piece, "`"]),
            None => text.push_str(piece),
        }
    }
    text
}

/// A piece of a block as TOML, with its backticks. `None` for a piece that is none.
fn of_code(piece: &str) -> Option<String> {
    let is_name =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || "_.".contains(c));
    let Some((name, written)) = piece.split_once(": ").filter(|(name, _)| is_name(name)) else {
        return is_call(piece).then(|| format!("`{}`", value(piece)));
    };
    if let Some(entries) = written.strip_prefix("{ ").and_then(|rest| rest.strip_suffix(" }")) {
        if entries == ".." {
            return Some(format!("`[{name}]`"));
        }
        let entries = entries.split(", ").map(|entry| {
            let (key, written) = entry.split_once(": ").unwrap_or((entry, ".."));
            format!("`{key} = {}`", value(written))
        });
        return Some(format!("{} in `[{name}]`", entries.collect::<Vec<_>>().join(", ")));
    }
    Some(match name.split_once('.') {
        Some((table, key)) => format!("`{key} = {}` in `[{table}]`", value(written)),
        None => format!("`{name} = {}`", value(written)),
    })
}

fn is_call(text: &str) -> bool {
    ["env(", "redis("].iter().any(|call| text.starts_with(call)) && text.ends_with(')')
}

/// A value of a block as TOML: words and units get quotes, and `env("NAME")` becomes `"${NAME}"`.
pub(crate) fn value(written: &str) -> String {
    let inner = |text: &'_ str, call: &str| {
        text.strip_prefix(call).and_then(|rest| rest.strip_suffix(')')).map(str::to_owned)
    };
    if let Some(address) = inner(written, "redis(") {
        return value(&address);
    }
    if let Some(arguments) = inner(written, "env(") {
        let name = arguments.split('"').nth(1).unwrap_or("NAME").to_owned();
        return format!("\"${{{name}}}\"");
    }
    if let Some(items) = written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let items = items.split(", ").map(value).collect::<Vec<_>>().join(", ");
        return format!("[{items}]");
    }
    if let Some(entries) = written.strip_prefix("{ ").and_then(|rest| rest.strip_suffix(" }")) {
        let entry = |entry: &str| match entry.split_once(": ") {
            Some((key, written)) => format!("{key} = {}", value(written)),
            None => entry.to_owned(),
        };
        let entries = entries.split(", ").map(entry).collect::<Vec<_>>().join(", ");
        return format!("{{ {entries} }}");
    }
    let is_toml = written.starts_with('"')
        || written == "true"
        || written == "false"
        || written.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    if is_toml { written.to_owned() } else { format!("\"{written}\"") }
}

#[cfg(test)]
mod tests {
    use auth_proxy_rules::{OptionKey, Shape};

    use super::*;

    #[test]
    fn advice_for_a_block_becomes_advice_for_a_file() {
        for (block, toml) in [
            ("add `session: { cache: 30s }`", "add `cache = \"30s\"` in `[session]`"),
            ("with `session.source: local`", "with `source = \"local\"` in `[session]`"),
            (
                "write `upstream: { token: jwks, issuer: \"https://a\" }`",
                "write `token = \"jwks\"`, `issuer = \"https://a\"` in `[upstream]`",
            ),
            ("write `upstream.allow_http: true`", "write `allow_http = true` in `[upstream]`"),
            (
                "write `session: { store: redis(env(\"REDIS_URL\")) }`",
                "write `store = \"${REDIS_URL}\"` in `[session]`",
            ),
            ("remove the block `jwks: { .. }`", "remove the block `[jwks]`"),
            ("write `env(\"AUTH_SECRET\")`", "write `\"${AUTH_SECRET}\"`"),
            ("`client_js: false`", "`client_js = false`"),
            ("expected `redis://host:port`", "expected `redis://host:port`"),
            ("such as `10.0.0.7`, found `a: b c`", "such as `10.0.0.7`, found `a = \"b c\"`"),
        ] {
            assert_eq!(toml_wording(block), toml);
        }
    }

    /// The example of each option is TOML, except that of `upstream.fetch`, which is Rust code.
    #[test]
    fn example_of_each_option_is_written_as_toml() {
        for option in OptionKey::ALL.iter().filter(|option| option.shape() != Shape::Expression) {
            let line = format!("{} = {}", option.key(), value(option.example()));
            assert!(line.parse::<toml::Table>().is_ok(), "{line}");
        }
    }
}
