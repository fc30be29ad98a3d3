//! Computes how the load grows with instances and sessions, from measured costs.

mod measured;
mod model;
mod options;
mod print;

use std::io::Write as _;

pub use self::options::Options;
use crate::Error;

/// Prints the table.
///
/// # Errors
/// If an argument is unknown, or a measurement fails.
pub fn run(arguments: &[&str]) -> Result<(), Error> {
    let options = Options::read(arguments)?;
    let measured = if options.measure { measured::now()? } else { measured::THEN };
    let text =
        if options.guide { print::guide(&options, &measured) } else { print::all(&options, &measured) };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
