//! The `Via` header: detects a loop, when a request that this proxy sent comes back to it.

use std::fmt::Write as _;

use aws_lc_rs::rand;
use http::header::VIA;
use http::{HeaderMap, HeaderValue};
use memchr::memmem;

use crate::error::{AuthError, BoxError, Reason};

/// The value that this proxy adds to `Via` (RFC 9110, section 7.6.3). Without it, an upstream address that leads back
/// to this proxy would make requests loop until they time out.
pub(super) struct Via {
    value: HeaderValue,
    /// The pseudonym in the value. It is random: a web page that knew it could add it to its visitors' requests and
    /// have them refused.
    name: String,
}

impl Via {
    pub(super) fn new() -> Result<Self, BoxError> {
        let mut random = [0; 8];
        rand::fill(&mut random)?;
        let mut name = "auth-proxy-".to_owned();
        for byte in random {
            write!(name, "{byte:02x}")?;
        }
        Ok(Self { value: format!("1.1 {name}").parse()?, name })
    }

    /// Adds the value after those of earlier proxies.
    ///
    /// # Errors
    /// `loop_detected` when the request already has the value.
    pub(super) fn add(&self, headers: &mut HeaderMap) -> Result<(), AuthError> {
        let mut lines = headers.get_all(VIA).iter();
        // Bytes, not text: a proxy on the way may have joined it with a client's value that is not ASCII.
        if lines.any(|line| memmem::find(line.as_bytes(), self.name.as_bytes()).is_some()) {
            return Err(AuthError::new(Reason::LOOP_DETECTED));
        }
        headers.append(VIA, self.value.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_with_own_via_value_is_a_loop_and_other_values_are_kept() {
        let (one, other) = (Via::new().unwrap(), Via::new().unwrap());
        let mut headers = HeaderMap::new();
        headers.insert(VIA, HeaderValue::from_static("1.0 client, 1.1 auth-proxy"));
        one.add(&mut headers).unwrap();
        other.add(&mut headers).unwrap();
        assert_eq!(headers.get_all(VIA).iter().count(), 3);
        assert_eq!(one.add(&mut headers).err().map(|error| error.code()), Some("loop_detected"));
    }

    #[test]
    fn own_value_is_refused_beside_a_value_that_is_not_ascii() {
        let one = Via::new().unwrap();
        let line = [b"1.1 \xe4, ", one.value.as_bytes()].concat();
        let mut headers = HeaderMap::new();
        headers.insert(VIA, HeaderValue::from_bytes(&line).unwrap());
        assert_eq!(one.add(&mut headers).err().map(|error| error.code()), Some("loop_detected"));
    }
}
