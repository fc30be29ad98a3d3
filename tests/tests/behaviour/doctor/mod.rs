//! `auth.check()` and `auth.health()`: upstreams that do not answer, or that are no login server; the report; health.
//! The suites `conformance` and `better_auth` check real servers.

mod certificates;
mod guide;
mod health;
mod report;
mod servers;
mod unanswered;

use auth_proxy::doctor::Report;
use auth_proxy::options::Builder;
use auth_proxy::testing::FakeUpstream;

use crate::support::Auth;

auth_proxy::auth_proxy! {
    /// An app for tokens of an issuer.
    struct Machines {
        upstream: { kind: generic, issuer: "https://issuer.example", audience: "api" },
        jwks: { url: env("JWKS_URL") },
    }
}

auth_proxy::auth_proxy! {
    /// An app without `upstream.headers`, which `Auth` has.
    struct WithoutHeaders { upstream: { base_url: env("AUTH_UPSTREAM_URL") } }
}

/// The origin of the app in these tests.
const APP: &str = "http://localhost:3000";

/// An app in front of this address, whose origin is known.
fn at(url: &str) -> Builder<Auth> {
    auth_proxy_tests::watch::start();
    Auth::builder().upstream_base_url(url).public_url(APP)
}

fn before(upstream: &FakeUpstream) -> Builder<Auth> {
    at(upstream.url())
}

async fn check(builder: Builder<Auth>) -> Report {
    builder.build().unwrap().check().await
}
