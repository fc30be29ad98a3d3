//! Attacks on an app and its visitors over real sockets, one attack a file. Each test prints how many attempts it made
//! and how many succeeded.

mod breaker;
mod cache_keys;
mod guards;
mod hosts;
mod many_renewals;
mod memory;
mod shared_caches;
mod sign_out;
mod stale;
mod stores;
mod support;
mod swapped_heads;
mod two_names;
mod two_tokens;
