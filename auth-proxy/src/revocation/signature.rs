//! The signature of a message to the webhook: `t=<seconds>,v1=<hex>`.

use std::fmt;

use aws_lc_rs::hmac;

/// By how much the time of a message may differ from the time here, in seconds. Within it, a message can be sent again:
/// it revokes the same tokens, because its effect depends on its body and its time only.
pub(super) const WINDOW: u64 = 300;

/// The most signatures of one message: those with the secret in use, and those with the ones before.
const MOST_SIGNATURES: usize = 8;

/// The key of one secret.
pub(crate) struct WebhookKey(hmac::Key);

/// The signature of a message, as it was sent.
pub(crate) struct Signature {
    /// As it was written, because these bytes are signed.
    time: String,
    at: u64,
    macs: Vec<[u8; 32]>,
}

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadSignature {
    Malformed,
    Late,
    Wrong,
}

impl WebhookKey {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(..)")
    }
}

impl Signature {
    /// Reads the header. Parts with other names are left out, so that a later version can add some.
    ///
    /// # Errors
    /// When there is not one time, or no signature, or one of them is not well formed.
    pub(crate) fn read(header: &[u8]) -> Result<Self, BadSignature> {
        let text = std::str::from_utf8(header).map_err(|_| BadSignature::Malformed)?;
        let mut time = None;
        let mut macs = Vec::new();
        for part in text.split(',') {
            let (name, value) = part.trim().split_once('=').ok_or(BadSignature::Malformed)?;
            match name {
                "t" if time.is_none() => time = Some(value),
                "v1" if macs.len() < MOST_SIGNATURES => {
                    macs.push(bytes_of_hex(value).ok_or(BadSignature::Malformed)?);
                }
                "t" | "v1" => return Err(BadSignature::Malformed),
                _ => {}
            }
        }
        let time = time.filter(|time| !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit()));
        let (Some(time), false) = (time, macs.is_empty()) else { return Err(BadSignature::Malformed) };
        let at = time.parse().map_err(|_| BadSignature::Malformed)?;
        Ok(Self { time: time.to_owned(), at, macs })
    }

    /// The signed time, in seconds since the Unix epoch.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Checks the time of the message.
    ///
    /// # Errors
    /// When it is too long ago, or too far in the future.
    pub(crate) fn check_time(&self, now: u64) -> Result<(), BadSignature> {
        if is_recent(self.at, now) { Ok(()) } else { Err(BadSignature::Late) }
    }

    /// Checks the signature of a body.
    ///
    /// # Errors
    /// When none of the signatures was made with one of the keys.
    pub(crate) fn check(&self, keys: &[WebhookKey], body: &[u8]) -> Result<(), BadSignature> {
        let message = [self.time.as_bytes(), b".", body].concat();
        // aws-lc compares in constant time.
        let is_good =
            |key: &WebhookKey| self.macs.iter().any(|mac| hmac::verify(&key.0, &message, mac).is_ok());
        if keys.iter().any(is_good) { Ok(()) } else { Err(BadSignature::Wrong) }
    }

    /// Whether another time is too far in the future to be in the message.
    pub(crate) fn is_future(time: u64, now: u64) -> bool {
        time > now.saturating_add(WINDOW)
    }
}

/// Whether a message with this time may be accepted. Both are in seconds since the Unix epoch.
pub(crate) fn is_recent(time: u64, now: u64) -> bool {
    time.abs_diff(now) <= WINDOW
}

/// The 32 bytes of 64 hexadecimal digits.
pub(crate) fn bytes_of_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |byte, digit| byte << 4 | digit);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"a secret of the webhook, 32 bytes";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn signed(secret: &[u8], time: &str, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hex(hmac::sign(&key, format!("{time}.{body}").as_bytes()).as_ref())
    }

    fn check(header: &str, body: &str, now: u64) -> Result<(), BadSignature> {
        let signature = Signature::read(header.as_bytes())?;
        signature.check_time(now)?;
        signature.check(&[WebhookKey::new(SECRET), WebhookKey::new(b"the one before")], body.as_bytes())
    }

    /// RFC 4231, section 4.3, test case 2.
    #[test]
    fn signature_is_hmac_sha256() {
        let mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
        assert!(hmac::verify(&key, b"what do ya want for nothing?", &bytes_of_hex(mac).unwrap()).is_ok());
    }

    #[test]
    fn good_signature_of_either_secret_is_accepted() {
        let (new, old) = (signed(SECRET, "1000", "body"), signed(b"the one before", "1000", "body"));
        let other = signed(b"another", "1000", "body");
        for header in [
            format!("t=1000,v1={new}"),
            format!("v1={new}, t=1000"),
            format!("t=1000,v1={old}"),
            format!("t=1000,v1={other},v1={new},v2=later"),
            format!("t=1000,v1={}", new.to_uppercase()),
        ] {
            for now in [700, 1000, 1300] {
                assert_eq!(check(&header, "body", now), Ok(()), "{header} at {now}");
            }
            for now in [699, 1301] {
                assert_eq!(check(&header, "body", now), Err(BadSignature::Late), "{header} at {now}");
            }
            for body in ["", "bod", "body ", "1000.body"] {
                assert_eq!(check(&header, body, 1000), Err(BadSignature::Wrong), "{body}");
            }
        }
        assert_eq!(check(&format!("t=1001,v1={new}"), "body", 1000), Err(BadSignature::Wrong));
        assert_eq!(check(&format!("t=01000,v1={new}"), "body", 1000), Err(BadSignature::Wrong));
        assert_eq!(check(&format!("t=1000,v1={other}"), "body", 1000), Err(BadSignature::Wrong));
    }

    #[test]
    fn anything_else_is_malformed() {
        let mac = signed(SECRET, "1000", "body");
        for header in [
            "",
            "t=1000",
            "t",
            &format!("v1={mac}"),
            &format!("t=,v1={mac}"),
            &format!("t=+1000,v1={mac}"),
            &format!("t=-1,v1={mac}"),
            &format!("t=1000,t=1000,v1={mac}"),
            &format!("t=99999999999999999999,v1={mac}"),
            &format!("t=1000,v1={}", &mac[..62]),
            &format!("t=1000,v1={mac}00"),
            &format!("t=1000,v1={}zz", &mac[..62]),
            &format!("t=1000,v1={mac},"),
            &format!("t=1000{}", format!(",v1={mac}").repeat(MOST_SIGNATURES + 1)),
        ] {
            assert_eq!(check(header, "body", 1000), Err(BadSignature::Malformed), "{header}");
        }
        assert!(Signature::read(b"t=1000,v1=\xff").is_err());
    }
}
