//! The scripts of tests/browser, which control Chromium, and the page that they open.

use std::path::Path;

use axum::response::{Html, IntoResponse};

use crate::process::node_in;

/// The path for screenshots and other files of a script.
#[must_use]
pub fn output(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("output").join(name).display().to_string()
}

/// Runs a script and checks its output.
pub async fn run(script: &'static str, vars: Vec<(&'static str, String)>, expected_output: &str) {
    assert_eq!(output_of(script, vars).await.trim(), expected_output);
}

/// Runs a script, and returns its output.
pub async fn output_of(script: &'static str, vars: Vec<(&'static str, String)>) -> String {
    let mut command = node_in("browser", script);
    command.envs(vars);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{script}: {stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    stdout
}

/// Bundles the script `page` into the file `output`, with the npm package `package` as the client library `name`.
pub async fn bundle(page: &str, name: &str, package: &str, output: String) {
    let vars = vec![
        ("PAGE", page.to_owned()),
        ("NAME", name.to_owned()),
        ("PACKAGE", package.to_owned()),
        ("OUTPUT", output),
    ];
    run("bundle.mjs", vars, "bundled").await;
}

/// A page whose content security policy allows scripts of its own origin, and the script of the test by a nonce.
pub async fn page() -> impl IntoResponse {
    let policy = "default-src 'none'; script-src 'self' 'nonce-test'; connect-src 'self'";
    ([("content-security-policy", policy)], Html("<!doctype html><title>page</title><body>"))
}
