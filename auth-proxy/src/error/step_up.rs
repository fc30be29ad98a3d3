//! What a new sign-in has to bring (RFC 9470).

use std::fmt::Write as _;
use std::time::Duration;

use http::HeaderValue;

/// What a signed-in visitor has to do to pass: sign in again, or in a stronger way. It is the content of the challenge of
/// OAuth 2.0 Step Up Authentication (RFC 9470, section 3).
///
/// ```
/// use std::time::Duration;
///
/// use auth_proxy::rules::StepUp;
///
/// let again = StepUp::within(Duration::from_secs(600));
/// assert_eq!(again.max_age(), Some(Duration::from_secs(600)));
/// assert!(again.acr_values().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    max_age: Option<Duration>,
    acr_values: Vec<String>,
}

impl StepUp {
    /// The last sign-in must not be older than this.
    #[must_use]
    pub fn within(max_age: Duration) -> Self {
        Self { max_age: Some(max_age), acr_values: Vec::new() }
    }

    /// The sign-in must be of one of these classes (`acr` of OpenID Connect Core 1.0, section 2), the preferred one first.
    ///
    /// ```
    /// assert_eq!(auth_proxy::rules::StepUp::with_acr(["mfa"]).acr_values(), ["mfa"]);
    /// ```
    #[must_use]
    pub fn with_acr<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Self {
        Self { max_age: None, acr_values: values.into_iter().map(Into::into).collect() }
    }

    /// How old the last sign-in may be. `None`: its age does not matter.
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// The classes of which the sign-in must be one. Empty: the class does not matter.
    #[must_use]
    pub fn acr_values(&self) -> &[String] {
        &self.acr_values
    }

    /// What satisfies both. A challenge cannot ask for two classes at once (RFC 9470, section 3), so the classes of the
    /// first count.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.max_age = match (self.max_age, other.max_age) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        if self.acr_values.is_empty() {
            self.acr_values = other.acr_values;
        }
        self
    }

    /// The value of `WWW-Authenticate` (RFC 9470, section 3).
    pub(crate) fn challenge(&self) -> HeaderValue {
        let mut text = r#"Bearer error="insufficient_user_authentication""#.to_owned();
        text.push_str(if self.acr_values.is_empty() {
            r#", error_description="A more recent sign-in is required""#
        } else {
            r#", error_description="A stronger sign-in is required""#
        });
        if let Some(max_age) = self.max_age {
            // Writing to a string does not fail.
            write!(text, r#", max_age="{}""#, max_age.as_secs()).ok();
        }
        // A class with other characters cannot stand in the list, which has spaces between its values.
        let is_class = |value: &&String| {
            !value.is_empty()
                && value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
        };
        let classes: Vec<&str> = self.acr_values.iter().filter(is_class).map(String::as_str).collect();
        if !classes.is_empty() {
            write!(text, r#", acr_values="{}""#, classes.join(" ")).ok();
        }
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_has_the_parameters_of_rfc_9470() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        for (step_up, expected) in [
            (
                StepUp::within(minutes(10)),
                r#"Bearer error="insufficient_user_authentication", error_description="A more recent sign-in is required", max_age="600""#,
            ),
            (
                StepUp::with_acr(["mfa", "a b", "c\"d", "phr"]).and(StepUp::within(minutes(5))),
                r#"Bearer error="insufficient_user_authentication", error_description="A stronger sign-in is required", max_age="300", acr_values="mfa phr""#,
            ),
            (
                StepUp::within(minutes(10)).and(StepUp::within(minutes(5))),
                r#"Bearer error="insufficient_user_authentication", error_description="A more recent sign-in is required", max_age="300""#,
            ),
        ] {
            assert_eq!(step_up.challenge(), expected);
        }
    }
}
