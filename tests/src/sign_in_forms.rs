//! Follows a sign-in at an OpenID provider as a browser does.

use crate::{Answer, Browser};

/// Follows redirects and submits the forms of the provider. Returns the last page and its address.
pub async fn follow_to_the_end(browser: &Browser, mut answer: Answer, mut at: String) -> (Answer, String) {
    for _ in 0..20 {
        if (300..400).contains(&answer.status) {
            at = absolute(&at, answer.header("location"));
            answer = browser.get(&at).await;
        } else if let Some(action) = between(&answer.body, "action=\"", "\"") {
            let prompt = between(&answer.body, "name=\"prompt\" value=\"", "\"")
                .expect("the form has no prompt")
                .to_owned();
            at = absolute(&at, action);
            answer = browser.post(&at, &[("prompt", &prompt), ("login", "ada"), ("password", "any")]).await;
        } else {
            return (answer, at);
        }
    }
    panic!("more than 20 steps, now at {at}: {answer:?}");
}

/// The text between these two, if both occur.
#[must_use]
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(found, _)| found)
}

/// Resolves a link as a browser does.
fn absolute(base: &str, link: &str) -> String {
    reqwest::Url::parse(base).unwrap().join(link).unwrap().to_string()
}
