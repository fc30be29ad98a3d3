//! Every fault of the fake upstream against every kind of caller.
//!
//! An outage signs nobody in or out. Every request is answered within its deadline, no task or connection is left, and
//! the next request succeeds. `--nocapture` prints the matrix, which is also written to `tests/output/faults.md`.

mod caller;
mod expected;
mod matrix;
mod stale;
mod trickle;
