//! Hostile bodies and cookies for the faults.

/// The page of a web server whose application is down.
pub(super) const PAGE: &str =
    "<!doctype html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>";

/// A session whose name is not valid UTF-8.
pub(super) const INVALID_UTF8: &[u8] = b"{\"user\":{\"id\":\"1\",\"name\":\"D\xe9mo \xff\xfe\"}}";

/// `Set-Cookie` values. None of them concerns the session cookie of this name, though some look like it.
pub(super) fn cookies(name: &str) -> Vec<Vec<u8>> {
    const LIKE_IT: [&str; 5] = ["", "; Max-Age=0", "-old=; Max-Age=0", ".x=; Max-Age=0", ".-1=; Max-Age=0"];
    const OTHERS: [&[u8]; 8] = [
        b"",
        b";",
        b"=",
        b"=; Max-Age=0; Path=/",
        b"; ; ; Path",
        b"\xff\xfe=\xff; Path=\xff",
        b"a=b; Expires=when hell freezes over; Max-Age=NaN; Domain=; SameSite=Perhaps",
        b"a=b\tc; Path",
    ];
    let mut lines: Vec<Vec<u8>> = OTHERS.iter().map(|line| line.to_vec()).collect();
    lines.extend(LIKE_IT.map(|rest| format!("{name}{rest}").into_bytes()));
    lines.push(format!("{}=; Max-Age=0", name.to_uppercase()).into_bytes());
    lines
}

/// A valid JSON session of 100 MB and a few bytes: the start, a piece, how often it is repeated, and the end.
pub(super) const HUGE: (&[u8], &[u8], usize, &[u8]) =
    (b"{\"user\":{\"id\":\"1\",\"name\":\"", &[b'x'; 50_000], 2_000, b"\"}}");

/// A session whose user is nested 100,000 levels deep, in less than a megabyte.
pub(super) fn nested() -> String {
    const DEPTH: usize = 100_000;
    let mut json = String::from(r#"{"user":"#);
    json.push_str(&r#"{"a":"#.repeat(DEPTH));
    json.push('1');
    json.push_str(&"}".repeat(DEPTH + 1));
    json
}

/// 20,640,001 zeros (RFC 1951 and 1952): one zero, then 80,000 times "repeat the last 258" in 13 bits each. Eight of
/// those are 13 bytes.
pub(super) fn gzip_bomb() -> Vec<u8> {
    const EIGHT_MATCHES: [u8; 13] =
        [0x18, 0x05, 0xa3, 0x60, 0x14, 0x8c, 0x82, 0x51, 0x30, 0x0a, 0x46, 0xc1, 0x28];
    const CRC_32: u32 = 0x7fe8_0e6c;
    const LENGTH: u32 = 20_640_001;
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    gzip.push(0x63);
    gzip.extend_from_slice(&EIGHT_MATCHES.repeat(10_000));
    gzip.extend_from_slice(&[0, 0]);
    gzip.extend_from_slice(&CRC_32.to_le_bytes());
    gzip.extend_from_slice(&LENGTH.to_le_bytes());
    gzip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_session_is_balanced_and_below_the_lookup_limit() {
        let json = nested();
        assert_eq!(json.matches('{').count(), json.matches('}').count());
        assert!(json.len() < 1 << 20);
    }

    /// Checks the size only: no dependency can unpack it. Python's `gzip.decompress` accepts it.
    #[test]
    fn gzip_bomb_is_130_kb() {
        assert_eq!(gzip_bomb().len(), 10 + 130_003 + 8);
    }
}
