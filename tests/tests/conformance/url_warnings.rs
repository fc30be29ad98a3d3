//! The warning about upstream URLs of another origin, with real servers.

use std::sync::{Arc, Mutex};

use auth_proxy::options::SessionStrategy;
use auth_proxy::options::UpstreamKind::{Authjs, NextAuthV4};
use auth_proxy_tests::Browser;

use crate::deployments::{self, Deployment};
use crate::nextjs::{By, front_door};

/// Captures the warnings of this thread.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Warnings {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The warnings when this path is requested twice at every app of a deployment.
async fn warned(deployment: &Deployment, path: &str) -> String {
    let warnings = Warnings::default();
    let writer = warnings.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    for own in deployment.apps.iter().chain(&deployment.apps) {
        assert_eq!(Browser::at(own).get(path).await.status, 200, "{own}{path}");
    }
    String::from_utf8(warnings.0.lock().unwrap().clone()).unwrap()
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
