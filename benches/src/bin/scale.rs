//! Prints how the load of a fleet grows with its instances and sessions: `cargo run --release --bin scale`.

use auth_proxy_benches::{Error, scale};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    scale::run(&arguments)
}
