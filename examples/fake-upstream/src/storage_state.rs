//! A session cookie in the format of Playwright's `storageState`
//! (<https://playwright.dev/docs/api/class-browser#browser-new-context-option-storage-state>).

use http::Uri;
use serde_json::json;

/// The cookies of a `Cookie` header, for the browser that visits this app. They last as long as the browser's context.
pub fn storage_state(cookies: &str, app: &Uri) -> String {
    let pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
    let cookies: Vec<_> = pairs
        .map(|(name, value)| {
            json!({
                "name": name,
                "value": value,
                "domain": app.host().unwrap_or_default(),
                "path": "/",
                "expires": -1,
                "httpOnly": true,
                "secure": app.scheme_str() == Some("https"),
                "sameSite": "Lax",
            })
        })
        .collect();
    json!({ "cookies": cookies, "origins": [] }).to_string()
}
