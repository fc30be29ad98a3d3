//! Conformance tests with real software: tokens of the real libraries, real Auth.js and next-auth servers, Chromium,
//! and the examples. They need Node, and `npm ci` in tests/authjs, tests/better-auth, tests/browser and both folders of
//! examples/nextjs.

mod answer_session;
mod audit;
mod auth_routes;
mod back_channel;
mod browser;
mod cookie_cache;
mod deployments;
mod doctor;
mod error_pages;
mod examples;
mod fake_upstream;
mod hardened;
mod ingress;
mod machine_clients;
mod next_server;
mod nextjs;
mod openid;
mod quickstart;
mod revoke_helper;
mod revoke_snippets;
mod server;
mod sign_in_limit;
mod step_up;
#[cfg(unix)]
mod three_machines;
mod token_vectors;
#[cfg(unix)]
mod unix_socket;
mod url_warnings;
#[cfg(unix)]
mod verdict;
