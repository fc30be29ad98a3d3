//! Benchmarks of auth-proxy beside comparable programs. `run.sh` measures everything; README.md says how.

pub mod count;
pub mod measure;
pub mod report;
pub mod serve;
pub mod tokens;

/// Any error ends the run: a missing figure is better than a wrong one.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
