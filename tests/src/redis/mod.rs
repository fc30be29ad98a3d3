//! Real Redis servers: alone, with a replica and a sentinel, and as a cluster. They stop on drop.

mod cluster;
mod sentinel;
mod server;

pub use self::cluster::Cluster;
pub use self::sentinel::Sentinel;
pub use self::server::Server;
