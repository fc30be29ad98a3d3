//! Fault injection: each fault of the fake upstream, with each kind of caller.
//!
//! An outage must not sign any visitor in or out. Every request must end within its deadline, without leaked tasks and
//! connections, and later requests must succeed. The results are printed (`--nocapture`) and written to
//! `tests/output/faults.md`, and for Better Auth to files beside it.

mod caller;
mod expected;
mod family;
mod matrix;
mod stale;
mod trickle;
