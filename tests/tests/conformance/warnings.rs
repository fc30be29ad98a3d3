//! Whether the URLs of real servers are of the app's origin, as the proxy says it once in a warning.

use std::sync::{Arc, Mutex};

use auth_proxy::options::SessionStrategy;
use auth_proxy::options::UpstreamKind::{Authjs, NextAuthV4};
use auth_proxy_tests::Browser;

use crate::deployments::{self, Deployment};
use crate::nextjs::{By, front_door};

/// What this thread warned of, until the guard is dropped.
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

/// What is warned of when every app of a deployment is asked twice for this path.
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
async fn next_js_as_it_comes_is_named_with_what_to_change() {
    for (kind, mend) in [
        (Authjs, "route.js needs the lines of examples/nextjs/README.md"),
        (NextAuthV4, "set AUTH_TRUST_HOST=1 at the Next.js server"),
    ] {
        for path in PATHS {
            let said = warned(&front_door(kind, By::Nothing).await, path).await;
            assert!(said.lines().count() == 1 && said.contains(mend), "{kind:?} {path}: {said}");
            assert!(said.contains("server=\"Next.js\"") && said.contains("urls=http://localhost:"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_right_origin_is_not_warned_of() {
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
