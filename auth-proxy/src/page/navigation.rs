//! Tells a browser navigation from a request of a script or a program.

use http::HeaderMap;
use http::header::ACCEPT;

/// Whether a browser loads a page, and not a script or a program that fetches data. `Accept` must include HTML, and
/// `Sec-Fetch-Mode` (Fetch Metadata) must be `navigate`. Without `Sec-Fetch-Mode`, `X-Requested-With` must be missing.
pub(crate) fn is_navigation(headers: &HeaderMap) -> bool {
    let wants_html = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|kind| kind.trim_start().starts_with("text/html")));
    wants_html
        && match headers.get("sec-fetch-mode") {
            Some(mode) => mode == "navigate",
            None => !headers.contains_key("x-requested-with"),
        }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn navigation_needs_html_and_the_navigate_mode() {
        let head = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v)))
                .collect::<HeaderMap>()
        };
        let html = ("accept", "application/xhtml+xml, text/html;q=0.9");
        assert!(is_navigation(&head(&[html, ("sec-fetch-mode", "navigate")])));
        assert!(is_navigation(&head(&[html])));
        assert!(!is_navigation(&head(&[html, ("sec-fetch-mode", "cors")])));
        assert!(!is_navigation(&head(&[html, ("x-requested-with", "XMLHttpRequest")])));
        assert!(!is_navigation(&head(&[("accept", "*/*")])));
        assert!(!is_navigation(&head(&[("accept", "*/*"), ("sec-fetch-mode", "navigate")])));
        assert!(!is_navigation(&head(&[])));
    }
}
