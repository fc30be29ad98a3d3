//! Raw requests and their responses.

use auth_proxy_tests::App;

/// The status of a response, and its whole text in lower case.
pub(crate) fn read(answer: &str) -> (u16, String) {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer.to_ascii_lowercase())
}

/// Sends a GET with exactly these header lines.
pub(crate) async fn get(app: &App, target: &str, host: &str, headers: &str) -> (u16, String) {
    let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    read(&app.raw(&head).await)
}

/// The first twelve failures, one a line.
pub(crate) fn first(wrong: &[String]) -> String {
    wrong.iter().take(12).map(|wrong| format!("{wrong}\n")).collect()
}
