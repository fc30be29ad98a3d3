//! Assertions about the response of an app, which print the code of the problem when they fail.

use http::{Response, StatusCode};

use crate::error::{AuthError, Causes, Outcome};

/// Asserts that no guard and no extractor refused the request: the handler answered, with success or a redirect of its
/// own. A page that anybody may see passes too.
///
/// The response must come from the app in the same process, as that of `tower::ServiceExt::oneshot`: the reason of a
/// refusal is in its extensions.
///
/// ```
/// # use auth_proxy::{AuthError, User, auth_proxy, testing::assert_signed_in};
/// # use axum::{Router, routing::get};
/// # use tower::ServiceExt as _;
/// # auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let auth = Auth::from_env()?;
/// let app: Router = Router::new().route("/", get(async || "hello")).route_layer(auth.require_any_session());
/// let ada = auth.sign_in_as(User::default());
/// assert_signed_in(&app.oneshot(ada.get("/")).await?);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// When the request was refused, or the handler answers an error.
#[track_caller]
pub fn assert_signed_in<B>(response: &Response<B>) {
    let is_good = response.status().is_success() || response.status().is_redirection();
    let is_refused = response.extensions().get::<AuthError>().is_some();
    assert!(is_good && !is_refused, "the visitor should be signed in, but {}", described(response));
}

/// Asserts that a guard or an extractor refused the request, with this outcome. A redirect to the sign-in page has the
/// outcome of its reason: absent or invalid.
///
/// ```
/// # use auth_proxy::{auth_proxy, errors::Outcome, testing::assert_outcome};
/// # use axum::{Router, routing::get};
/// # use tower::ServiceExt as _;
/// # auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let auth = Auth::from_env()?;
/// let app: Router = Router::new().route("/", get(async || "hello")).route_layer(auth.require_any_session());
/// assert_outcome(&app.clone().oneshot(auth.signed_out().get("/")).await?, Outcome::Absent);
/// assert_outcome(&app.oneshot(auth.upstream_down().get("/")).await?, Outcome::Unavailable);
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// When the request was not refused, or with another outcome.
#[track_caller]
pub fn assert_outcome<B>(response: &Response<B>, expected: Outcome) {
    let found = response.extensions().get().map(AuthError::outcome);
    assert!(
        found == Some(expected),
        "the outcome should be {}, but {}",
        expected.name(),
        described(response)
    );
}

/// What the response is, with the code of its problem.
fn described<B>(response: &Response<B>) -> String {
    let status = response.status();
    let Some(error) = response.extensions().get::<AuthError>() else {
        let by = if status == StatusCode::NOT_FOUND { "a route is missing, or " } else { "" };
        return format!("the response is {status} without a problem code: {by}a handler of the app answered");
    };
    let cause = std::error::Error::source(error).map(|cause| format!(": {}", Causes(cause)));
    format!(
        "the response is {status} with the code `{}` ({}){}",
        error.code(),
        error.outcome().name(),
        cause.unwrap_or_default()
    )
}
