//! The gateway as a process, in front of a Node app, with a real Auth.js server.

mod admin;
mod check;
mod faults;
mod identity;
mod limits;
mod reload;
mod shutdown;
mod streams;
mod support;
mod websocket;
