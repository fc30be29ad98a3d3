//! The same sign-ins as a person sees them: Chromium, the real pages, clicks. A screenshot of each step
//! is left in tests/output.

use std::path::Path;
use std::process::Command;

use auth_proxy::{Kind, Strategy};

use crate::deployments::{
    Deployment, another_origin, bundle_of, front_door, front_door_elsewhere, front_door_for_another_site,
    front_door_https, front_door_v4, front_door_with_passkeys, parent_domain, redirect_proxy, robo,
    two_ports_of,
};

/// Where a script leaves its screenshots.
pub(crate) fn output(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("output").join(name).display().to_string()
}

/// Runs one of the scripts of tests/browser, and expects its last word.
pub(crate) async fn run(script: &'static str, vars: Vec<(&'static str, String)>, last_word: &str) {
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
    let vars = vec![
        ("APP", deployment.apps[0].clone()),
        ("OTHER", other.unwrap_or_default()),
        ("OUTPUT", output(name)),
    ];
    run("visit.mjs", vars, "signed in, known, signed out, refused").await;
}

#[tokio::test]
async fn the_front_door() {
    for (name, deployment) in [
        ("front-door", front_door(Strategy::Jwt).await),
        ("front-door-database", front_door(Strategy::Database).await),
        ("front-door-v4", front_door_v4().await),
    ] {
        visit(name, deployment, None).await;
    }
}

/// The upstream's own pages, forms and callback are below its own path, and work there.
#[tokio::test]
async fn base_paths_that_differ() {
    for (name, kind) in
        [("base-paths-that-differ", Kind::Authjs), ("base-paths-that-differ-v4", Kind::NextAuthV4)]
    {
        visit(name, front_door_elsewhere(kind).await, None).await;
    }
}

/// Over https, before both kinds of Auth.js: the cookies have their prefix, and the keys fit. Auth.js v5 need not be named.
#[tokio::test]
async fn https() {
    for (name, kind) in
        [("https", Some(Kind::Authjs)), ("https-v4", Some(Kind::NextAuthV4)), ("https-without-a-kind", None)]
    {
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

/// Bundles a page with a next-auth of npm.
async fn bundle(page: &str, package: &str, output: String) {
    let vars = vec![("PAGE", page.to_owned()), ("PACKAGE", package.to_owned()), ("OUTPUT", output)];
    run("bundle.mjs", vars, "bundled").await;
}

/// next-auth/react of both versions, unmodified, each before its own kind of server.
#[tokio::test]
async fn the_clients_of_next_auth() {
    for (version, package, kind) in
        [("v5", "next-auth", Kind::Authjs), ("v4", "next-auth-v4", Kind::NextAuthV4)]
    {
        bundle("react-page.mjs", package, bundle_of(version).display().to_string()).await;
        let over_http = if version == "v4" { front_door_v4().await } else { front_door(Strategy::Jwt).await };
        for deployment in [over_http, front_door_https(Some(kind)).await, front_door_elsewhere(kind).await] {
            let vars = vec![
                ("APP", deployment.apps[0].clone()),
                ("CALLBACK", deployment.callback.clone()),
                ("CLIENT", version.to_owned()),
            ];
            run("react.mjs", vars, &format!("next-auth {version} works unmodified")).await;
        }
    }
}

/// A page of another site signs in with cookies of its visitor, where `cors.origins` names it.
#[tokio::test]
async fn a_page_of_another_site() {
    let (deployment, page, stranger) = front_door_for_another_site().await;
    let vars = vec![("APP", deployment.apps[0].clone()), ("PAGE", page), ("STRANGER", stranger)];
    run("another-site.mjs", vars, "signed in from another site").await;
}

/// Forms, fetch and WebSockets of another site whose cookies go along; of another port, whose cookies are the
/// same; and over plain http, where browsers do not send `Sec-Fetch-Site`.
#[tokio::test]
async fn pages_of_other_origins_write_nothing() {
    let last_word = "written from its own pages only";
    let vars = |app: &str, other: &str, site: &str| {
        vec![("APP", app.to_owned()), ("OTHER", other.to_owned()), ("SITE", site.to_owned())]
    };
    let (deployment, _page, stranger) = front_door_for_another_site().await;
    run("csrf.mjs", vars(&deployment.apps[0], &stranger, "cross-site"), last_word).await;
    for (host, site) in [("127.0.0.1", "same-site"), ("app.localtest", "")] {
        let (_upstream, _apps, own, other) = two_ports_of(host).await;
        run("csrf.mjs", vars(&own, &other, site), last_word).await;
    }
}

/// A passkey that is registered and signed in with on Auth.js's own page.
#[tokio::test]
async fn passkeys_on_the_page_of_auth_js() {
    for (name, strategy) in [("passkey", Strategy::Jwt), ("passkey-database", Strategy::Database)] {
        let deployment = front_door_with_passkeys(strategy).await;
        let vars = vec![("APP", deployment.apps[0].clone()), ("OUTPUT", output(name))];
        run("passkey.mjs", vars, "registered, signed out, signed in").await;
    }
}

/// The same with next-auth/webauthn, for somebody who is signed in already.
#[tokio::test]
async fn passkeys_with_the_client_of_next_auth() {
    let bundled = output("passkey-page.js");
    bundle("passkey-page.mjs", "next-auth", bundled.clone()).await;
    for (name, strategy) in
        [("passkey-client", Strategy::Jwt), ("passkey-client-database", Strategy::Database)]
    {
        let deployment = front_door_with_passkeys(strategy).await;
        let vars =
            vec![("APP", deployment.apps[0].clone()), ("BUNDLE", bundled.clone()), ("OUTPUT", output(name))];
        run("passkey-client.mjs", vars, "added, signed out, signed in").await;
    }
}

/// Registering with it, at a server that answers as Robo.js does.
#[tokio::test]
async fn our_own_client_registers() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let (_upstream, app) = robo(strategy).await;
        let vars = vec![("APP", app.url("")), ("STRATEGY", strategy.to_string())];
        run("sign-up.mjs", vars, "registered and signed in").await;
    }
}

/// A page can be given any `callbackUrl` by a link to it.
#[tokio::test]
async fn our_own_client_leads_only_to_web_pages() {
    let (_upstream, app) = robo(Strategy::Jwt).await;
    let other = format!("http://localhost:{}", app.addr.port());
    run("urls.mjs", vec![("APP", app.url("")), ("OTHER", other)], "only to web pages").await;
}

/// From a page of another origin, which may not read the pages that people are sent to.
#[tokio::test]
async fn our_own_client_at_another_origin() {
    for strategy in [Strategy::Jwt, Strategy::Database] {
        for hides in [false, true] {
            let (_upstream, _apps, own, page) = another_origin(strategy, hides).await;
            let hides = if hides { "1" } else { "" };
            let vars = vec![("APP", own), ("PAGE", page), ("HIDES", hides.to_owned())];
            run("another-origin.mjs", vars, "signed in from another origin").await;
        }
    }
}

/// The sign-in pages are on another host, and a relative `callbackUrl` is this app's all the same.
#[tokio::test]
async fn relative_callback_urls_in_the_parent_domain() {
    let deployment = parent_domain().await;
    let vars = vec![("APP", deployment.apps[0].clone()), ("AUTH", deployment.auth_host.clone())];
    run("parent-domain.mjs", vars, "back at the app").await;
}

/// The client that the router serves, under a content security policy, against the real servers.
#[tokio::test]
async fn our_own_client() {
    for (code, deployment) in [("credentials", front_door(Strategy::Jwt).await), ("", front_door_v4().await)]
    {
        let vars = vec![("APP", deployment.apps[0].clone()), ("CODE", code.to_owned())];
        run("client.mjs", vars, "every function works").await;
    }
}
