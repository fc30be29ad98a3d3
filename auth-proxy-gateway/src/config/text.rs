//! Strings of the configuration file: `${NAME}` is replaced by an environment variable, and `file:PATH` by the text of a
//! file.

use std::path::Path;

use zeroize::Zeroizing;

/// The most bytes of a file that a value is read from.
const LARGEST_FILE: u64 = 64 * 1024;

/// Where values come from besides the configuration file.
pub(crate) struct Sources<'s> {
    /// The folder of the configuration file. Relative paths begin here.
    pub(crate) folder: &'s Path,
    /// Reads an environment variable.
    pub(crate) variable: &'s dyn Fn(&str) -> Option<std::ffi::OsString>,
}

/// A value as it counts.
#[derive(Clone)]
pub(crate) struct Text {
    pub(crate) value: Zeroizing<String>,
    /// Whether the value stands in the configuration file itself, and so may be shown.
    pub(crate) is_literal: bool,
}

impl Sources<'_> {
    /// The value of a string.
    ///
    /// # Errors
    /// A variable that is not set, a file that cannot be read, or a `${` that names no variable. The message does not show
    /// the value of a variable.
    pub(crate) fn resolve(&self, written: &str) -> Result<Text, String> {
        let (text, has_variables) = self.expand(written)?;
        // Only the configuration file names files: a variable whose value begins with `file:` is a plain text.
        match text.strip_prefix("file:").filter(|_| written.starts_with("file:")) {
            Some(path) => Ok(Text { value: self.read(path)?, is_literal: false }),
            None => Ok(Text { value: text, is_literal: !has_variables }),
        }
    }

    /// Replaces each `${NAME}`. `$${` stands for `${`.
    fn expand(&self, written: &str) -> Result<(Zeroizing<String>, bool), String> {
        let mut text = Zeroizing::new(String::with_capacity(written.len()));
        let mut has_variables = false;
        let mut rest = written;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                text.push_str(before);
                text.push_str("${");
                rest = after;
                continue;
            }
            text.push_str(before);
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| "`${` has no `}`: write `${NAME}`, or `$${` for the text `${`".to_owned())?;
            text.push_str(&self.variable(name)?);
            has_variables = true;
            rest = after;
        }
        text.push_str(rest);
        Ok((text, has_variables))
    }

    fn variable(&self, name: &str) -> Result<Zeroizing<String>, String> {
        let is_name = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            return Err(format!(
                "`${{{name}}}` names no environment variable: a name has letters, digits and `_`, and there are no defaults"
            ));
        }
        let value = (self.variable)(name).map(std::ffi::OsString::into_string);
        match value {
            Some(Ok(value)) if !value.is_empty() => Ok(Zeroizing::new(value)),
            Some(Err(_)) => Err(format!("the environment variable `{name}` is not valid UTF-8")),
            // Container tools pass an unset variable as an empty string.
            _ => Err(format!("the environment variable `{name}` is not set")),
        }
    }

    /// The text of a file without the line break at its end.
    fn read(&self, path: &str) -> Result<Zeroizing<String>, String> {
        if path.is_empty() {
            return Err("the path is missing: write `file:/run/secrets/auth-secret`".to_owned());
        }
        let full = self.folder.join(path);
        let failed = |error: std::io::Error| format!("cannot read the file `{path}`: {error}");
        let file = std::fs::File::open(&full).map_err(failed)?;
        let mut text = Zeroizing::new(String::new());
        std::io::Read::read_to_string(&mut std::io::Read::take(file, LARGEST_FILE + 1), &mut text)
            .map_err(failed)?;
        if u64::try_from(text.len()).unwrap_or(u64::MAX) > LARGEST_FILE {
            return Err(format!("the file `{path}` has more than 64 KiB"));
        }
        let end = text.trim_end_matches(['\r', '\n']).len();
        text.truncate(end);
        if text.is_empty() {
            return Err(format!("the file `{path}` is empty"));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(written: &str) -> Result<(String, bool), String> {
        let variable = |name: &str| match name {
            "HOST" => Some("db".into()),
            "EMPTY" => Some("".into()),
            "PATHLIKE" => Some("file:/etc/passwd".into()),
            _ => None,
        };
        let sources = Sources { folder: Path::new("/nowhere"), variable: &variable };
        sources.resolve(written).map(|text| (text.value.to_string(), text.is_literal))
    }

    #[test]
    fn variables_are_replaced_and_mistakes_are_named() {
        for (written, expected) in [
            ("plain $HOME {x}", Ok(("plain $HOME {x}", true))),
            ("a${HOST}b${HOST}", Ok(("adbbdb", false))),
            ("$${HOST}", Ok(("${HOST}", true))),
            // A variable cannot name a file.
            ("${PATHLIKE}", Ok(("file:/etc/passwd", false))),
            ("${MISSING}", Err("the environment variable `MISSING` is not set")),
            ("${EMPTY}", Err("the environment variable `EMPTY` is not set")),
            ("${HOST", Err("`${` has no `}`: write `${NAME}`, or `$${` for the text `${`")),
            (
                "${HOST:-x}",
                Err(
                    "`${HOST:-x}` names no environment variable: a name has letters, digits and `_`, and there are no defaults",
                ),
            ),
            ("file:", Err("the path is missing: write `file:/run/secrets/auth-secret`")),
        ] {
            let expected = expected.map(|(text, literal)| (text.to_owned(), literal)).map_err(str::to_owned);
            assert_eq!(resolve(written), expected, "{written}");
        }
        assert!(resolve("file:secret").unwrap_err().starts_with("cannot read the file `secret`: "));
    }
}
