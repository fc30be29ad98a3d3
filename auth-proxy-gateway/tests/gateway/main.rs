//! The gateway as a process, in front of a Node app, with a real Auth.js server.

mod admin;
mod check;
mod deploy;
mod faults;
mod front;
mod identity;
mod limits;
mod quickstart;
mod reload;
mod rules;
mod shutdown;
mod smuggling;
mod streams;
mod support;
mod systemd;
mod websocket;
