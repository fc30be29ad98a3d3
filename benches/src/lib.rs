//! Benchmarks of auth-proxy and of comparable programs. `run.sh` runs them, and README.md describes them.

pub mod cookie_caches;
pub mod count;
pub mod measure;
mod phases;
pub mod published;
pub mod report;
pub mod scale;
pub mod serve;
pub mod shared;
pub mod stats;
pub mod tokens;

/// The error of all functions. Any error ends the run: a missing figure is better than a wrong figure.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
