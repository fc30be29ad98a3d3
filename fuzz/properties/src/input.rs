//! Parses a fuzz input. Inputs have the format of HTTP, so that the corpus can be edited by hand: a first line,
//! headers, an empty line, a body.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The parts of an input.
pub(crate) struct Message<'d> {
    pub(crate) first: &'d [u8],
    pub(crate) headers: HeaderMap,
    pub(crate) body: &'d [u8],
}

/// Splits an input. Lines that are not valid headers are skipped.
pub(crate) fn message(data: &[u8]) -> Message<'_> {
    let (first, mut rest) = line(data);
    let mut headers = HeaderMap::new();
    loop {
        let (header, after) = line(rest);
        rest = after;
        if header.is_empty() {
            break;
        }
        let Some(colon) = header.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&header[..colon], header[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    Message { first, headers, body: rest }
}

fn line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (data[..end].strip_suffix(b"\r").unwrap_or(&data[..end]), &data[end + 1..]),
        None => (data, &[]),
    }
}
