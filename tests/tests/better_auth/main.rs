//! Tests with real Better Auth servers of two versions. They need Node, and `npm ci` in tests/better-auth and tests/authjs.

mod bearer;
mod cookie_cache;
mod facts;
mod limits;
mod oauth;
mod outage;
mod proxy;
mod routes;
mod server;
mod sessions;
