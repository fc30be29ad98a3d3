//! What auth-proxy costs, measured beside its peers. `run.sh` measures everything; README.md says how.

pub mod count;
pub mod measure;
pub mod report;
pub mod serve;
pub mod tokens;

/// Whatever goes wrong ends the run: a figure that is not there is better than a wrong one.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
