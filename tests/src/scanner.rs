//! Finds secrets in logged text: whole secrets and parts of them, plain and in the usual encodings.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::RwLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// The length in bytes of the searched pieces. The scanner also finds a partial secret if it contains one of them.
const PIECE: usize = 12;

/// Keeps the unreserved characters of RFC 3986.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The secrets to look for.
#[derive(Debug, Default)]
pub struct Scanner(RwLock<Needles>);

#[derive(Debug, Default)]
struct Needles {
    known: HashSet<Vec<u8>>,
    /// The first, the middle and the last piece of every encoding of every secret.
    pieces: HashSet<[u8; PIECE]>,
    /// Encoded secrets that are shorter than a piece.
    short: HashSet<String>,
}

impl Scanner {
    /// Adds a secret.
    pub fn add(&self, secret: &[u8]) {
        // Secrets of one or two bytes would match almost any text.
        if secret.len() < 3 || self.0.read().unwrap().known.contains(secret) {
            return;
        }
        let mut needles = self.0.write().unwrap();
        for encoding in encodings(secret) {
            let bytes = encoding.as_bytes();
            let Some(last) = bytes.len().checked_sub(PIECE) else {
                needles.short.insert(encoding);
                continue;
            };
            for at in [0, last / 2, last] {
                needles.pieces.insert(bytes[at..at + PIECE].try_into().unwrap());
            }
        }
        needles.known.insert(secret.to_vec());
    }

    /// A description of the first part of a secret in this line, if any.
    #[must_use]
    pub fn find(&self, line: &[u8]) -> Option<String> {
        let needles = self.0.read().unwrap();
        let piece = line.windows(PIECE).find(|piece| needles.pieces.contains(*piece));
        if let Some(piece) = piece {
            return Some(format!("`{}`, of a secret", String::from_utf8_lossy(piece)));
        }
        let text = String::from_utf8_lossy(line);
        needles.short.iter().find(|short| text.contains(short.as_str())).map(|short| format!("`{short}`"))
    }
}

/// A secret in all encodings.
fn encodings(secret: &[u8]) -> Vec<String> {
    let mut encodings = vec![
        String::from_utf8_lossy(secret).into_owned(),
        String::from_utf8_lossy(secret).escape_debug().to_string(),
        percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        percent_encode(secret, UNRESERVED).to_string(),
        percent_encode(secret, NON_ALPHANUMERIC).to_string().to_ascii_lowercase(),
    ];
    // Base64 depends on the offset modulo 3: `Basic` encodes a user name before the secret.
    for from in 0..3.min(secret.len() - 2) {
        let whole = &secret[from..from + (secret.len() - from) / 3 * 3];
        encodings.extend([STANDARD_NO_PAD.encode(whole), URL_SAFE_NO_PAD.encode(whole)]);
    }
    if secret.len() >= 8 {
        let hex = secret.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        // The `Debug` text of bytes.
        let list = format!("{secret:?}");
        encodings.extend([hex.to_ascii_uppercase(), hex, list.trim_matches(['[', ']']).to_owned()]);
    }
    encodings.retain(|encoding| encoding.len() > 2);
    encodings
}
