//! Runs rustdoc with unstable options allowed. Cargo runs this program instead of rustdoc.
//!
//! JSON output of rustdoc is unstable. `RUSTC_BOOTSTRAP=1` allows it on stable Rust, but set for the whole of cargo it
//! would rebuild every dependency whose build script reads that variable. Set here, it reaches rustdoc alone.
//!
//! `JSON_DIRECTORY` replaces the output directory of cargo: two checkouts may share a target directory, and would overwrite
//! each other's JSON there.

use std::{env, process};

fn main() {
    let rustdoc = env::var_os("REAL_RUSTDOC").unwrap_or_else(|| "rustdoc".into());
    let mut arguments: Vec<_> = env::args_os().skip(1).collect();
    if let Some(directory) = env::var_os("JSON_DIRECTORY") {
        for at in 1..arguments.len() {
            if arguments[at - 1] == "-o" {
                arguments[at] = directory.clone();
            }
        }
    }
    match process::Command::new(&rustdoc).args(&arguments).env("RUSTC_BOOTSTRAP", "1").status() {
        Ok(status) => process::exit(status.code().unwrap_or(1)),
        Err(error) => {
            eprintln!("cannot run {}: {error}", rustdoc.display());
            process::exit(1);
        }
    }
}
