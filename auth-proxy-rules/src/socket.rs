//! Checks the address of a Unix socket, `unix:/run/auth.sock`, with an optional prefix as nginx writes it:
//! `unix:/run/auth.sock:/prefix`.

use crate::invalid_value::InvalidValue;

/// The most bytes of a path. `sun_path` of `sockaddr_un` has 108 bytes on Linux and 104 on macOS and the BSDs, with the NUL
/// at the end. The smaller number counts everywhere, so that a configuration does not depend on where it is checked.
const MOST_BYTES: usize = 103;

const SCHEME: &str = "unix:";

const EXPECTED: &str =
    "a Unix socket is `unix:` and the absolute path of the socket, such as `unix:/run/auth.sock`";

/// Whether a text is meant as the address of a Unix socket.
pub(crate) fn is_socket(text: &str) -> bool {
    text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// Splits the address of a Unix socket into the path of the socket, and the text after the `:` that ends it.
///
/// # Errors
/// When the path is not absolute, too long, or has a part that is probably a mistake.
pub(crate) fn socket(text: &str) -> Result<(String, &str), InvalidValue> {
    let rest = text.get(SCHEME.len()..).unwrap_or_default();
    let (path, prefix) = rest.split_once(':').unwrap_or((rest, ""));
    if path.starts_with("//") {
        return Err(InvalidValue::with_part(format!("{EXPECTED}, with one `/`"), "//"));
    }
    if path.starts_with('@') || path.starts_with('\0') {
        return Err(InvalidValue::with_part(
            "the name of an abstract socket has no permissions, so every process could take it: write the path of a socket \
             in a folder, such as `unix:/run/auth.sock`",
            "@",
        ));
    }
    if !path.starts_with('/') {
        return Err(InvalidValue::new(EXPECTED));
    }
    if let Some(c) = rest.chars().find(|c| matches!(c, '?' | '#' | '%' | '\\') || c.is_control()) {
        let why = match c {
            '?' => "a Unix socket has no query: remove the `?` and what follows",
            '#' => "a Unix socket has no fragment: remove the `#` and what follows",
            '%' => "the path of a socket is written without percent-escapes",
            '\\' => "the path of a socket has `/` between its folders",
            _ => "the path of a socket has no control characters",
        };
        return Err(InvalidValue::with_part(why, c.escape_default().to_string()));
    }
    if path != path.trim_end() {
        return Err(InvalidValue::new("the path of a socket ends without white space"));
    }
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "" if segments.peek().is_none() => {
                return Err(InvalidValue::new(
                    "the path of a socket names a file: remove the `/` at the end",
                ));
            }
            "" => return Err(InvalidValue::with_part("the path of a socket has no empty segment", "//")),
            "." | ".." => {
                return Err(InvalidValue::with_part("the path of a socket has no dot segment", segment));
            }
            _ => {}
        }
    }
    if path.len() > MOST_BYTES {
        return Err(InvalidValue::new(format!(
            "the path of a socket has at most {MOST_BYTES} bytes, and this one has {}: put the socket into a shorter path, \
             such as `unix:/run/auth.sock`",
            path.len()
        )));
    }
    Ok((path.to_owned(), prefix))
}
