//! The store of shared sessions with real Redis servers. Needs `redis-server`.
#![cfg(unix)]

mod bystanders;
mod costs;
mod counts;
mod doctor;
mod faults;
mod large_sessions;
mod model;
mod notes;
mod puts;
mod revocation;
mod servers;
mod sign_outs;
mod slow_sentinels;
mod support;
