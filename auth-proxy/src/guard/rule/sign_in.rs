//! Rules about the sign-in: whether there was one, how long ago, and how strong it was.

use std::time::Duration;

use serde_json::{Map, Value};

use super::visitor::Fact;
use super::{Decision, Rule, Visitor};
use crate::error::StepUp;
use crate::provider::AuthProxy;
use crate::token::TOLERANCE;

/// Every signed-in visitor may pass.
///
/// ```
/// # use auth_proxy::{auth_proxy, rules::signed_in};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let layer = auth.require(signed_in()); // as `auth.require_any_session()`
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[must_use]
pub fn signed_in() -> SignedIn {
    SignedIn
}

/// Visitors who signed in at most this long ago may pass. The others have to sign in again: 401 `step_up_required` with a
/// challenge (RFC 9470), or the sign-in page.
///
/// [`Visitor::signed_in_at`] says where the time comes from. If it is not known, the answer is 403 `sign_in_time_unknown`:
/// the guide says [what Auth.js needs](crate::guide::policies#how-long-ago-the-sign-in-was). The time may be 15 seconds
/// off, since it is of another machine's clock. A later time than that is not recent.
///
/// ```
/// # use std::time::Duration;
/// # use auth_proxy::{auth_proxy, rules::max_age};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let layer = auth.require(max_age(Duration::from_secs(600)));
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[must_use]
pub fn max_age(age: Duration) -> MaxAge {
    MaxAge(age)
}

/// Visitors whose sign-in was of this class may pass: the claim or field `acr` is this value, or the list `amr` has it
/// (OpenID Connect Core 1.0, section 2). The others need a stronger sign-in: 401 `step_up_required` with a challenge
/// (RFC 9470) whose `acr_values` name it, or the sign-in page.
///
/// ```
/// # use auth_proxy::{auth_proxy, rules::acr};
/// # auth_proxy! { pub struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # let auth = Auth::from_env()?;
/// let layer = auth.require(acr("mfa"));
/// # Ok::<(), auth_proxy::ConfigError>(())
/// ```
#[must_use]
pub fn acr(value: impl Into<String>) -> Acr {
    Acr(value.into())
}

/// The rule of [`signed_in`].
///
/// ```
/// let rule: auth_proxy::rules::SignedIn = auth_proxy::rules::signed_in();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedIn;

impl<P: AuthProxy> Rule<P> for SignedIn {
    async fn check(&self, _: &Visitor<'_, P>) -> Decision {
        Decision::Allow
    }

    fn is_signed_in(&self) -> bool {
        true
    }
}

/// The rule of [`max_age`].
///
/// ```
/// use std::time::Duration;
///
/// let rule: auth_proxy::rules::MaxAge = auth_proxy::rules::max_age(Duration::from_secs(60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAge(Duration);

impl<P: AuthProxy> Rule<P> for MaxAge {
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        match visitor.sign_in_time() {
            #[expect(
                clippy::cast_precision_loss,
                reason = "seconds fit the 53 bits of a double for millions of years"
            )]
            Fact::Known(at) => {
                let age = visitor.now() as f64 - at;
                let tolerance = TOLERANCE.as_secs_f64();
                let is_recent = age >= -tolerance && age <= self.0.as_secs_f64() + tolerance;
                if is_recent { Decision::Allow } else { Decision::StepUp(StepUp::within(self.0)) }
            }
            Fact::Unknown => {
                visitor.warn_sign_in_time_unknown();
                Decision::SignInTimeUnknown
            }
            Fact::Unavailable(error) => Decision::Unavailable(error),
        }
    }
}

/// The rule of [`acr`].
///
/// ```
/// let rule: auth_proxy::rules::Acr = auth_proxy::rules::acr("mfa");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acr(String);

impl Acr {
    /// Whether the sign-in was of this class. `None` if nothing says of which it was.
    fn read(&self, map: &Map<String, Value>) -> Option<Fact<bool>> {
        let is_it = |value: &Value| value.as_str() == Some(&self.0);
        let (acr, amr) = (map.get("acr"), map.get("amr"));
        let has =
            acr.is_some_and(is_it) || amr.and_then(Value::as_array).is_some_and(|amr| amr.iter().any(is_it));
        (acr.is_some() || amr.is_some()).then_some(Fact::Known(has))
    }
}

impl<P: AuthProxy> Rule<P> for Acr {
    async fn check(&self, visitor: &Visitor<'_, P>) -> Decision {
        match visitor.fact(|map| self.read(map)) {
            Fact::Known(true) => Decision::Allow,
            Fact::Known(false) | Fact::Unknown => Decision::StepUp(StepUp::with_acr([self.0.as_str()])),
            Fact::Unavailable(error) => Decision::Unavailable(error),
        }
    }
}
