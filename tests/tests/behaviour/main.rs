//! Behaviour over real sockets, one binary: an app, the fake upstream of the `testing` feature, and
//! a client that keeps cookies.

mod bad_input;
mod breaker;
mod cache;
mod client_js;
mod config;
mod connections;
mod cors;
mod csrf;
mod declare;
mod extractors;
mod faults;
mod foreign_urls;
mod guard;
mod head;
mod logs;
mod outcomes;
mod paths;
mod proxy;
mod readme;
mod redirects;
mod relay;
mod rewrite;
mod robo;
mod secrets;
mod serving;
mod smuggling;
mod stacking;
mod store;
mod support;
mod tokens;
mod tokens_attack;
mod tossing;
mod trouble;
mod watch;
mod wire;
