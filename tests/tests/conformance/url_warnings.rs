//! The warning about upstream URLs of another origin, with real servers.

use auth_proxy::options::SessionStrategy;
use auth_proxy::options::UpstreamKind::{Authjs, NextAuthV4};
use auth_proxy_tests::{Browser, LogCapture};

use crate::deployments::{self, Deployment};
use crate::nextjs::{By, front_door};

/// The warnings when this path is requested twice at every app of a deployment.
async fn warned(deployment: &Deployment, path: &str) -> String {
    let log = LogCapture::start();
    for own in deployment.apps.iter().chain(&deployment.apps) {
        assert_eq!(Browser::at(own).get(path).await.status, 200, "{own}{path}");
    }
    log.text().lines().filter(|line| line.contains(" WARN ")).collect::<Vec<_>>().join("\n")
}

const PATHS: [&str; 2] = ["/api/auth/providers", "/api/auth/signin"];

#[tokio::test]
async fn default_next_js_warns_and_names_the_fix() {
    for (kind, fix) in [
        (Authjs, "route.js needs the lines of examples/nextjs/README.md"),
        (NextAuthV4, "set AUTH_TRUST_HOST=1 at the Next.js server"),
    ] {
        for path in PATHS {
            let said = warned(&front_door(kind, By::Nothing).await, path).await;
            assert!(said.lines().count() == 1 && said.contains(fix), "{kind:?} {path}: {said}");
            assert!(said.contains("server=\"Next.js\"") && said.contains("urls=http://localhost:"), "{said}");
        }
    }
}

#[tokio::test]
async fn right_origin_does_not_warn() {
    for path in PATHS {
        for (name, deployment) in [
            ("lines", front_door(Authjs, By::Lines).await),
            ("lines, v4", front_door(NextAuthV4, By::Lines).await),
            ("AUTH_URL", front_door(Authjs, By::Url).await),
            ("front door", deployments::front_door(SessionStrategy::Jwt).await),
            ("front door, v4", deployments::front_door_v4().await),
            ("parent domain", deployments::parent_domain().await),
            ("redirect proxy", deployments::redirect_proxy().await),
        ] {
            assert_eq!(warned(&deployment, path).await, "", "{name} {path}");
        }
    }
}
