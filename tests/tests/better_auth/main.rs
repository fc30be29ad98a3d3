//! Tests with real Better Auth servers of two versions. They need Node, Chromium, and `npm ci` in tests/better-auth,
//! tests/authjs and tests/browser.

mod bearer;
mod browser;
mod cookie_cache;
mod deployments;
mod facts;
mod limits;
mod oauth;
mod outage;
mod proxy;
mod routes;
mod server;
mod sessions;
