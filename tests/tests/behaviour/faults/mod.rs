//! What callers get while the upstream is in trouble: every fault of the fake against every kind of caller.
//!
//! An outage lets nobody in and logs nobody out, every request is answered within its deadline, nothing is
//! left behind, and the next request after it is healthy. `--nocapture` shows the matrix, which is written
//! to `tests/output/faults.md` too.

mod caller;
mod expected;
mod matrix;
mod stale;
mod trickle;
