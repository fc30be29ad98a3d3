//! The same sign-ins as a person sees them: Chromium, the real pages, clicks. A screenshot of each step
//! is left in tests/output.

use std::path::Path;
use std::process::Command;

use auth_proxy::Strategy;

use crate::deployments::{Deployment, front_door, parent_domain, redirect_proxy};

/// Signs in at one app, looks at another, signs out, and is refused.
async fn visit(name: &'static str, deployment: Deployment, other: Option<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(
        folder.join("browser/node_modules").is_dir(),
        "Playwright is not installed: run `npm ci` in tests/browser"
    );
    let mut command = Command::new("node");
    command.arg("visit.mjs").current_dir(folder.join("browser"));
    command.env("APP", &deployment.apps[0]).env("OTHER", other.unwrap_or_default());
    command.env("OUTPUT", folder.join("output").join(name));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{name}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.ends_with("signed in, known, signed out, refused\n"), "{said}");
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
