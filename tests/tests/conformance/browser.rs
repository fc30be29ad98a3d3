//! Sign-ins in Chromium with the real pages of the servers. Screenshots of each step are written to tests/output.

use auth_proxy::options::{SessionStrategy, UpstreamKind};
use auth_proxy_tests::chromium::bundle;
pub(crate) use auth_proxy_tests::chromium::{output, run};

use crate::answer_session::answering;
use crate::deployments::{
    Deployment, another_origin, bundle_of, front_door, front_door_for_another_site, front_door_https,
    front_door_v4, front_door_with_another_base_path, front_door_with_passkeys, parent_domain,
    redirect_proxy, robo, two_ports_of,
};

/// Signs in at one app, opens the other one, signs out, and checks that the protected page is refused.
async fn visit(name: &str, deployment: Deployment, other: Option<String>) {
    let vars = vec![
        ("APP", deployment.apps[0].clone()),
        ("OTHER", other.unwrap_or_default()),
        ("OUTPUT", output(name)),
    ];
    run("visit.mjs", vars, "signed in, known, signed out, refused").await;
}

#[tokio::test]
async fn front_door_works_in_chromium() {
    for (name, deployment) in [
        ("front-door", front_door(SessionStrategy::Jwt).await),
        ("front-door-database", front_door(SessionStrategy::Database).await),
        ("front-door-v4", front_door_v4().await),
    ] {
        visit(name, deployment, None).await;
    }
}

/// The pages, forms and callback of the upstream are below a base path that differs from the app's.
#[tokio::test]
async fn sign_in_with_different_base_paths_works_in_chromium() {
    for (name, kind) in [
        ("base-paths-that-differ", UpstreamKind::Authjs),
        ("base-paths-that-differ-v4", UpstreamKind::NextAuthV4),
    ] {
        visit(name, front_door_with_another_base_path(kind).await, None).await;
    }
}

/// Over https the cookie names have the prefix `__Secure-`. The key of a token is derived from the cookie name. Auth.js
/// v5 works without `upstream.kind`.
#[tokio::test]
async fn sign_in_over_https_works_in_chromium() {
    for (name, kind) in [
        ("https", Some(UpstreamKind::Authjs)),
        ("https-v4", Some(UpstreamKind::NextAuthV4)),
        ("https-without-a-kind", None),
    ] {
        visit(name, front_door_https(kind).await, None).await;
    }
}

#[tokio::test]
async fn parent_domain_works_in_chromium() {
    let deployment = parent_domain().await;
    let other = deployment.apps[1].clone();
    visit("parent-domain", deployment, Some(other)).await;
}

#[tokio::test]
async fn redirect_proxy_works_in_chromium() {
    visit("redirect-proxy", redirect_proxy().await, None).await;
}

/// next-auth/react v5 and v4 from npm, each with a server of the same version.
#[tokio::test]
async fn next_auth_react_works_unmodified() {
    for (version, package, kind) in
        [("v5", "next-auth", UpstreamKind::Authjs), ("v4", "next-auth-v4", UpstreamKind::NextAuthV4)]
    {
        bundle("react-page.mjs", "next-auth", package, bundle_of(version).display().to_string()).await;
        let over_http =
            if version == "v4" { front_door_v4().await } else { front_door(SessionStrategy::Jwt).await };
        for deployment in
            [over_http, front_door_https(Some(kind)).await, front_door_with_another_base_path(kind).await]
        {
            let vars = vec![
                ("APP", deployment.apps[0].clone()),
                ("CALLBACK", deployment.callback.clone()),
                ("CLIENT", version.to_owned()),
            ];
            run("react.mjs", vars, &format!("next-auth {version} works unmodified")).await;
        }
        let stage = answering(kind, SessionStrategy::Jwt).await;
        let expected = "polled, and the server was asked 0 times";
        run("polling.mjs", vec![("APP", stage.app.url(""))], expected).await;
    }
}

/// A page of another site signs in with its visitor's cookies if `cors.origins` contains it.
#[tokio::test]
async fn page_of_an_origin_in_cors_origins_signs_in() {
    let (deployment, page, other_page) = front_door_for_another_site().await;
    let vars = vec![("APP", deployment.apps[0].clone()), ("PAGE", page), ("FOREIGN", other_page)];
    run("another-site.mjs", vars, "signed in from another site").await;
}

/// A page tries to write with forms, fetch and WebSockets: from another site with `SameSite=None` cookies, from another
/// port with the same cookies, and over plain http, where browsers do not send `Sec-Fetch-Site`.
#[tokio::test]
async fn cross_origin_pages_cannot_write() {
    let expected_output = "written from its own pages only";
    let vars = |app: &str, other: &str, site: &str| {
        vec![("APP", app.to_owned()), ("OTHER", other.to_owned()), ("SITE", site.to_owned())]
    };
    let (deployment, _page, other_page) = front_door_for_another_site().await;
    run("csrf.mjs", vars(&deployment.apps[0], &other_page, "cross-site"), expected_output).await;
    for (host, site) in [("127.0.0.1", "same-site"), ("app.localtest", "")] {
        let (_upstream, _apps, own, other) = two_ports_of(host).await;
        run("csrf.mjs", vars(&own, &other, site), expected_output).await;
    }
}

/// A visitor registers a passkey and signs in with it on the sign-in page of Auth.js.
#[tokio::test]
async fn passkeys_work_on_the_auth_js_page() {
    for (name, strategy) in
        [("passkey", SessionStrategy::Jwt), ("passkey-database", SessionStrategy::Database)]
    {
        let deployment = front_door_with_passkeys(strategy).await;
        let vars = vec![("APP", deployment.apps[0].clone()), ("OUTPUT", output(name))];
        run("passkey.mjs", vars, "registered, signed out, signed in").await;
    }
}

/// A signed-in visitor adds a passkey with next-auth/webauthn and uses it.
#[tokio::test]
async fn passkeys_work_with_the_next_auth_client() {
    let bundled = output("passkey-page.js");
    bundle("passkey-page.mjs", "next-auth", "next-auth", bundled.clone()).await;
    for (name, strategy) in
        [("passkey-client", SessionStrategy::Jwt), ("passkey-client-database", SessionStrategy::Database)]
    {
        let deployment = front_door_with_passkeys(strategy).await;
        let vars =
            vec![("APP", deployment.apps[0].clone()), ("BUNDLE", bundled.clone()), ("OUTPUT", output(name))];
        run("passkey-client.mjs", vars, "added, signed out, signed in").await;
    }
}

/// A visitor registers with `client.js` at the fake Robo.js server.
#[tokio::test]
async fn client_js_signs_up_at_robo() {
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        let (_upstream, app) = robo(strategy).await;
        let vars = vec![("APP", app.url("")), ("STRATEGY", strategy.to_string())];
        run("sign-up.mjs", vars, "registered and signed in").await;
    }
}

/// A link can give a page any `callbackUrl`, so the client must not follow other schemes.
#[tokio::test]
async fn client_js_navigates_only_to_web_pages() {
    let (_upstream, app) = robo(SessionStrategy::Jwt).await;
    let other = format!("http://localhost:{}", app.addr.port());
    run("urls.mjs", vec![("APP", app.url("")), ("OTHER", other)], "only to web pages").await;
}

/// `client.js` runs on a page of another origin, which may not read the pages that visitors are redirected to.
#[tokio::test]
async fn client_js_signs_in_from_another_origin() {
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        for removes_header in [false, true] {
            let (_upstream, _apps, own, page) = another_origin(strategy, removes_header).await;
            let removes_header = if removes_header { "1" } else { "" };
            let vars = vec![("APP", own), ("PAGE", page), ("HIDES", removes_header.to_owned())];
            run("another-origin.mjs", vars, "signed in from another origin").await;
        }
    }
}

/// The sign-in pages are on another host; a relative `callbackUrl` still returns to this app.
#[tokio::test]
async fn relative_callback_url_returns_to_the_app_in_a_parent_domain() {
    let deployment = parent_domain().await;
    let vars = vec![("APP", deployment.apps[0].clone()), ("AUTH", deployment.auth_host.clone())];
    run("parent-domain.mjs", vars, "back at the app").await;
}

/// `client.js` as the app serves it, on a page with a content security policy, with real servers.
#[tokio::test]
async fn client_js_functions_work_under_a_csp() {
    for (code, deployment) in
        [("credentials", front_door(SessionStrategy::Jwt).await), ("", front_door_v4().await)]
    {
        let vars = vec![("APP", deployment.apps[0].clone()), ("CODE", code.to_owned())];
        run("client.mjs", vars, "every function works").await;
    }
}
