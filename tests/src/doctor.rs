//! Reads the report of a check, and searches its texts for the secrets of the tests.

use auth_proxy::doctor::Report;

use crate::watch;

/// The codes of a report. Aborts the process if one of its texts contains a secret.
#[must_use]
pub fn codes(report: &Report) -> Vec<&'static str> {
    watch::start();
    let json = serde_json::to_string(report).unwrap();
    for text in [report.to_string(), format!("{report:?}"), json] {
        watch::look(text.as_bytes());
    }
    for finding in report.findings() {
        assert!(!finding.evidence().is_empty() && !finding.change().is_empty(), "{finding}");
    }
    report.findings().iter().map(auth_proxy::doctor::Finding::code).collect()
}

/// The change that the only finding of a report advises.
///
/// # Panics
/// If the report has another finding, or none.
#[must_use]
#[track_caller]
pub fn change(report: &Report, code: &str) -> String {
    assert_eq!(codes(report), [code], "{report}");
    report.findings()[0].change().to_owned()
}

/// Asserts that a check found nothing, and could check everything but what only a sign-in shows.
///
/// # Panics
/// If it did not.
#[track_caller]
pub fn assert_silent(report: &Report, name: &str) {
    let shown_by_sign_in: &[&str] = match report.server() {
        Some("Better Auth") | None => &[],
        Some(_) => &["session_strategy"],
    };
    assert!(codes(report).is_empty() && report.is_ok(), "{name}: {report}");
    assert_eq!(unchecked(report), shown_by_sign_in, "{name}: {report}");
}

/// The names of what a check could not find out.
#[must_use]
pub fn unchecked(report: &Report) -> Vec<&'static str> {
    report.unchecked().iter().map(auth_proxy::doctor::Unchecked::check).collect()
}
