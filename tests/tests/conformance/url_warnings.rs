//! Tests with real servers that the app warns when the upstream's URLs have another origin than the app.

use auth_proxy::options::SessionStrategy;
use auth_proxy::options::UpstreamKind::{Authjs, NextAuthV4};
use auth_proxy_tests::{Browser, LogCapture};

use crate::deployments::{self, Deployment};
use crate::nextjs::{OriginFrom, front_door};

/// Requests this path twice at every app of a deployment. Returns the logged warnings.
async fn warnings_of(deployment: &Deployment, path: &str) -> String {
    let log = LogCapture::start();
    for own in deployment.apps.iter().chain(&deployment.apps) {
        assert_eq!(Browser::at(own).get(path).await.status, 200, "{own}{path}");
    }
    log.text().lines().filter(|line| line.contains(" WARN ")).collect::<Vec<_>>().join("\n")
}

const PATHS: [&str; 2] = ["/api/auth/providers", "/api/auth/signin"];

#[tokio::test]
async fn next_js_defaults_log_a_warning_with_the_fix() {
    for (kind, fix) in [
        (Authjs, "add the lines of examples/nextjs/README.md of auth-proxy to its route.js"),
        (NextAuthV4, "set AUTH_TRUST_HOST=1 at the Next.js server"),
    ] {
        for path in PATHS {
            let warnings = warnings_of(&front_door(kind, OriginFrom::Defaults).await, path).await;
            assert!(warnings.lines().count() == 1 && warnings.contains(fix), "{kind:?} {path}: {warnings}");
            assert!(
                warnings.contains("server=\"Next.js\"") && warnings.contains("urls=http://localhost:"),
                "{warnings}"
            );
        }
    }
}

#[tokio::test]
async fn upstream_urls_of_the_app_origin_log_no_warning() {
    for path in PATHS {
        for (name, deployment) in [
            ("lines", front_door(Authjs, OriginFrom::RouteJs).await),
            ("lines, v4", front_door(NextAuthV4, OriginFrom::RouteJs).await),
            ("AUTH_URL", front_door(Authjs, OriginFrom::AuthUrl).await),
            ("front door", deployments::front_door(SessionStrategy::Jwt).await),
            ("front door, v4", deployments::front_door_v4().await),
            ("parent domain", deployments::parent_domain().await),
            ("redirect proxy", deployments::redirect_proxy().await),
        ] {
            assert_eq!(warnings_of(&deployment, path).await, "", "{name} {path}");
        }
    }
}
