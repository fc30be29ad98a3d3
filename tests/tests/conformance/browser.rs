//! The same sign-ins as a person sees them: Chromium, the real pages, clicks. A screenshot of each step
//! is left in tests/output.

use std::path::Path;
use std::process::Command;

use auth_proxy::{Kind, Strategy};

use crate::deployments::{
    Deployment, bundle_of, front_door, front_door_elsewhere, front_door_for_another_site, front_door_https,
    front_door_v4, parent_domain, redirect_proxy,
};
use crate::process::{Process, example};

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

/// The upstream's own pages, forms and callback are below its own path, and work there.
#[tokio::test]
async fn base_paths_that_differ() {
    visit("base-paths-that-differ", front_door_elsewhere().await, None).await;
}

/// Over https, before both kinds of Auth.js: the cookies have their prefix, and the keys fit.
#[tokio::test]
async fn https() {
    for (name, kind) in [("https", Kind::Authjs), ("https-v4", Kind::NextAuthV4)] {
        visit(name, front_door_https(kind).await, None).await;
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

/// The quickstart, which signs in with the client that the router serves.
#[tokio::test]
async fn the_quickstart() {
    let program = Process::start(&mut example("quickstart"));
    let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("output/quickstart");
    let app = program.greeting.split(' ').next().unwrap().to_owned();
    run(
        "quickstart.mjs",
        vec![("APP", app), ("OUTPUT", output.display().to_string())],
        "the quickstart works",
    )
    .await;
}

/// next-auth/react of both versions, unmodified, each before its own kind of server.
#[tokio::test]
async fn the_clients_of_next_auth() {
    for (version, package, deployment) in
        [("v5", "next-auth", front_door(Strategy::Jwt).await), ("v4", "next-auth-v4", front_door_v4().await)]
    {
        let bundle = bundle_of(version).display().to_string();
        run("bundle.mjs", vec![("PACKAGE", package.to_owned()), ("OUTPUT", bundle)], "bundled").await;
        let vars = vec![("APP", deployment.apps[0].clone()), ("CLIENT", version.to_owned())];
        run("react.mjs", vars, &format!("next-auth {version} works unmodified")).await;
    }
}

/// A page of another site signs in with cookies of its visitor, where `cors.origins` names it.
#[tokio::test]
async fn a_page_of_another_site() {
    let (deployment, page, stranger) = front_door_for_another_site().await;
    let vars = vec![("APP", deployment.apps[0].clone()), ("PAGE", page), ("STRANGER", stranger)];
    run("another-site.mjs", vars, "signed in from another site").await;
}

/// The client that the router serves, under a content security policy, against the real server.
#[tokio::test]
async fn our_own_client() {
    let deployment = front_door(Strategy::Jwt).await;
    run("client.mjs", vec![("APP", deployment.apps[0].clone())], "every function works").await;
}
