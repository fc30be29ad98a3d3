//! One visitor, Ada, of an app whose upstream fails or is slow.

use std::time::Duration;

use auth_proxy::options::Builder;
use auth_proxy_tests::Browser;

use super::Auth;

pub(crate) const COOKIE: &str = "authjs.session-token=aaaa..bbbb.cccc.dddd";
pub(crate) const ADA: &str = r#"{"user":{"name":"Ada"}}"#;

pub(crate) fn auth(url: &str) -> Builder<Auth> {
    Auth::builder().upstream_base_url(url).upstream_timeout(Duration::from_secs(10))
}

pub(crate) async fn session(browser: &Browser) -> (u16, String) {
    let answer = browser.get_with("/session", &[("cookie", COOKIE)]).await;
    (answer.status, answer.json()["user"]["name"].as_str().map_or_else(|| answer.code(), str::to_owned))
}
