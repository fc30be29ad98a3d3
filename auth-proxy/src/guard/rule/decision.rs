//! What a rule says about a visitor.

use crate::error::{AuthError, BoxError, Reason, StepUp};

/// What a [`Rule`](super::Rule) says about a signed-in visitor.
///
/// [`any`](super::any), [`all`](super::all) and [`not`](super::not) keep what is unknown apart from what is refused, so
/// that a missing fact or an outage never becomes a permission.
///
/// ```
/// use auth_proxy::rules::Decision;
///
/// assert!(matches!(Decision::from(true), Decision::Allow));
/// assert!(matches!(Decision::from(false), Decision::Refuse));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Decision {
    /// The visitor may pass.
    Allow,
    /// The visitor may certainly not pass: 403 `policy_refused`.
    Refuse,
    /// What decides is not known of this visitor, such as a role that the session does not have. 403 `policy_refused`,
    /// also behind [`not`](super::not).
    Unknown,
    /// The visitor may pass after a new sign-in: 401 `step_up_required` with a challenge (RFC 9470), or the sign-in page.
    StepUp(StepUp),
    /// The rule could not decide: a 5xx with this error, never 401 or 403. [`unavailable`](Self::unavailable) makes one.
    Unavailable(AuthError),
    /// The rule limits the age of the sign-in, and nothing says when it was: 403 `sign_in_time_unknown`.
    SignInTimeUnknown,
}

impl Decision {
    /// The rule could not decide, because of this error: 503 `policy_unavailable`. The error goes to the log.
    ///
    /// ```
    /// use auth_proxy::rules::Decision;
    ///
    /// fn of(answer: std::io::Result<bool>) -> Decision {
    ///     answer.map_or_else(Decision::unavailable, Decision::from)
    /// }
    /// ```
    #[must_use]
    pub fn unavailable(cause: impl Into<BoxError>) -> Self {
        Self::Unavailable(AuthError::new(Reason::POLICY_UNAVAILABLE).because(cause))
    }

    /// The refusal that the decision is for a visitor. `None`: the visitor may pass.
    pub(in crate::guard) fn refusal(self) -> Option<AuthError> {
        match self {
            Self::Allow => None,
            Self::Refuse | Self::Unknown => Some(AuthError::new(Reason::POLICY_REFUSED)),
            Self::SignInTimeUnknown => Some(AuthError::new(Reason::SIGN_IN_TIME_UNKNOWN)),
            Self::StepUp(step_up) => Some(AuthError::step_up_required(step_up)),
            Self::Unavailable(error) if error.is_unavailable() => Some(error),
            // A rule that asked another proxy has its errors, such as `session_absent`.
            Self::Unavailable(error) => Some(AuthError::new(Reason::POLICY_UNAVAILABLE).because(error)),
        }
    }
}

impl From<bool> for Decision {
    fn from(is_allowed: bool) -> Self {
        if is_allowed { Self::Allow } else { Self::Refuse }
    }
}
