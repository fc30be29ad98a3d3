//! Attacks on an app and its visitors, mounted over real sockets: one file for each. Every test prints the figure that it
//! reaches.

mod breaker;
mod hosts;
mod keys;
mod memory;
mod node;
mod pages;
mod shared_caches;
mod sign_out;
mod stale;
mod support;
mod touchy;
mod two_names;
mod two_tokens;
