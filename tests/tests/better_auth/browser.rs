//! Sign-ins in Chromium: with the clients of Better Auth from npm, and with `client.js`.

use auth_proxy_tests::chromium::{bundle, output, page, run};
use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use tokio::sync::OnceCell;

use crate::deployments::{
    Deployment, another_origin, one_callback_for_two_apps, public_server, two_front_doors, with_provider,
};
use crate::proxy::Auth;
use crate::server::VERSIONS;

/// A page for `client.js`, and for each version a page with the clients of Better Auth.
pub(crate) fn pages() -> Router<Auth> {
    Router::new()
        .route("/page", get(page))
        .route("/client/{version}", get(client))
        .route("/client/{version}/script.js", get(script))
}

async fn client(Path(version): Path<String>) -> Html<String> {
    Html(format!(
        "<!doctype html><title>client</title><body><script type=module src=/client/{version}/script.js></script>"
    ))
}

async fn script(Path(version): Path<String>) -> impl IntoResponse {
    ([("content-type", "text/javascript")], std::fs::read(bundle_of(&version)).unwrap())
}

/// The path of the page with the clients of a version.
fn bundle_of(version: &str) -> String {
    output(&format!("better-auth-{version}.js"))
}

/// Visits apps with the clients of a version. With `is_shared` a visitor who signed in at one app is signed in at all.
async fn visit(version: &'static str, apps: &[String], is_shared: bool) {
    static BUNDLED: [OnceCell<()>; 2] = [OnceCell::const_new(), OnceCell::const_new()];
    let (bundled, package) = match version {
        "1.7" => (&BUNDLED[0], "better-auth"),
        _ => (&BUNDLED[1], "better-auth-16"),
    };
    let build = || bundle("better-auth-page.mjs", "better-auth", package, bundle_of(version));
    bundled.get_or_init(build).await;
    let vars = vec![
        ("APP", apps[0].clone()),
        ("OTHER", apps.get(1).cloned().unwrap_or_default()),
        ("SHARED", if is_shared { "1".to_owned() } else { String::new() }),
        ("CLIENT", version.to_owned()),
    ];
    run("better-auth.mjs", vars, &format!("Better Auth {version} works unmodified")).await;
}

#[tokio::test]
async fn clients_of_better_auth_work_unmodified_at_a_front_door() {
    for version in VERSIONS {
        let (door, _idp) = with_provider(version).await;
        visit(version, std::slice::from_ref(&door.own), false).await;
    }
}

#[tokio::test]
async fn clients_of_better_auth_work_unmodified_at_two_front_doors() {
    for version in VERSIONS {
        let Deployment { apps, .. } = &two_front_doors(version).await;
        visit(version, apps, false).await;
    }
}

#[tokio::test]
async fn clients_of_better_auth_work_unmodified_with_one_callback_for_two_apps() {
    let Deployment { apps, .. } = &one_callback_for_two_apps().await;
    visit("1.7", apps, false).await;
}

#[tokio::test]
async fn clients_of_better_auth_work_unmodified_in_a_parent_domain() {
    for version in VERSIONS {
        let Deployment { apps, .. } = &public_server(version, true).await;
        visit(version, apps, true).await;
    }
}

/// `client.js` as the app serves it, on a page with a content security policy.
#[tokio::test]
async fn client_js_functions_work_under_a_csp() {
    for version in VERSIONS {
        let (door, _idp) = with_provider(version).await;
        let control = door.server.control().to_owned();
        let vars = vec![("APP", door.own.clone()), ("CONTROL", control), ("VERSION", version.to_owned())];
        run("better-auth-client.mjs", vars, "every function works").await;
    }
}

/// `client.js` on a page of an origin in `cors.origins`: its JSON needs a preflight request.
#[tokio::test]
async fn client_js_signs_in_from_another_origin() {
    for version in VERSIONS {
        let (door, _idp, _pages, [page, foreign]) = another_origin(version).await;
        let vars = vec![("APP", door.own.clone()), ("PAGE", page), ("FOREIGN", foreign)];
        run("better-auth-another-origin.mjs", vars, "signed in from another origin").await;
    }
}
