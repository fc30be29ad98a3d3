//! Against the real thing: tokens that the real libraries mint, a real Express + Auth.js server, and
//! the examples as they are shipped. Needs Node, and `npm ci` in tests/authjs, tests/browser and both of
//! examples/nextjs.

mod browser;
mod deployments;
mod examples;
mod hardened;
mod next_server;
mod nextjs;
mod openid;
mod pages;
mod process;
mod quickstart;
mod routes;
mod server;
mod vectors;
mod warnings;
