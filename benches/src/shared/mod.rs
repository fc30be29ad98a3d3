//! What the measurements of shared sessions use: a Redis server, an upstream with sessions, and a list of revoked tokens.

pub mod costs;
pub mod redis;
pub mod revoked;
pub mod sessions;
