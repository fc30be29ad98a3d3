//! The same sign-ins as a person sees them: Chromium, the real pages, clicks. A screenshot of each step
//! is left in tests/output.

use std::path::Path;
use std::process::Command;

use auth_proxy::Strategy;

use crate::deployments::{Deployment, front_door, parent_domain, redirect_proxy};

/// Runs one of the scripts of tests/browser, and expects its last word.
async fn run(script: &'static str, vars: Vec<(&'static str, String)>, last_word: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    assert!(
        folder.join("node_modules").is_dir(),
        "Playwright is not installed: run `npm ci` in tests/browser"
    );
    let mut command = Command::new("node");
    command.arg(script).current_dir(folder).envs(vars);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{script}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.trim(), last_word);
}

/// Signs in at one app, looks at another, signs out, and is refused.
async fn visit(name: &str, deployment: Deployment, other: Option<String>) {
    let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("output").join(name);
    let vars = vec![
        ("APP", deployment.apps[0].clone()),
        ("OTHER", other.unwrap_or_default()),
        ("OUTPUT", output.display().to_string()),
    ];
    run("visit.mjs", vars, "signed in, known, signed out, refused").await;
}

#[tokio::test]
async fn the_front_door() {
    for (name, strategy) in [("front-door", Strategy::Jwt), ("front-door-database", Strategy::Database)] {
        visit(name, front_door(strategy).await, None).await;
    }
}

#[tokio::test]
async fn the_parent_domain() {
    let deployment = parent_domain().await;
    let other = deployment.apps[1].clone();
    visit("parent-domain", deployment, Some(other)).await;
}

#[tokio::test]
async fn the_redirect_proxy() {
    visit("redirect-proxy", redirect_proxy().await, None).await;
}

/// The client that the router serves, under a content security policy, against the real server.
#[tokio::test]
async fn our_own_client() {
    let deployment = front_door(Strategy::Jwt).await;
    run("client.mjs", vec![("APP", deployment.apps[0].clone())], "every function works").await;
}
