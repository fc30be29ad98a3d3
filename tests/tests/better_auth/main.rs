//! Tests with real Better Auth servers of two versions. They need Node, Chromium, and `npm ci` in tests/better-auth,
//! tests/authjs and tests/browser.

mod answer_session;
mod audit;
mod bearer;
mod browser;
mod cookie_cache;
mod deployments;
mod doctor;
mod examples;
mod facts;
mod limits;
mod oauth;
mod one_word;
mod outage;
mod proxy;
mod revoke_snippets;
mod routes;
mod rules;
mod server;
mod sessions;
mod sign_in_limit;
