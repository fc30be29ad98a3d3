//! The gateway as a process, in front of a Node app, with a real Auth.js server.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests may panic, and the shared support is written for another crate"
)]

mod admin;
mod check;
mod deploy;
mod doctor;
mod faults;
mod front;
mod identity;
mod limits;
mod quickstart;
mod reload;
mod rules;
mod shutdown;
mod smuggling;
mod soak;
mod streams;
mod support;
mod systemd;
mod websocket;
