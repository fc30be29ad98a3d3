//! The command line.

use std::path::PathBuf;

use lexopt::prelude::{Long, Short, Value};

pub(crate) const USAGE: &str = "\
usage: auth-proxy-gateway --config FILE [--check]

  --config FILE   the configuration file, in TOML
  --check         print every mistake of the file, and do not start
  --help          print this text
  --version       print the version
";

/// What the command line asks for.
pub(crate) enum Command {
    Run(PathBuf),
    Check(PathBuf),
    Print(String),
}

/// Reads the arguments of the process.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn read() -> Result<Command, String> {
    parse(lexopt::Parser::from_env()).map_err(|error| error.to_string())
}

fn parse(mut arguments: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut file, mut checks) = (None, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("config") | Short('c') => file = Some(PathBuf::from(arguments.value()?)),
            Long("check") => checks = true,
            Long("help") | Short('h') => return Ok(Command::Print(USAGE.to_owned())),
            Long("version") | Short('V') => {
                return Ok(Command::Print(format!("auth-proxy-gateway {}\n", env!("CARGO_PKG_VERSION"))));
            }
            Value(_) | Long(_) | Short(_) => return Err(argument.unexpected()),
        }
    }
    let file = file.ok_or("the file is missing: write `--config gateway.toml`")?;
    Ok(if checks { Command::Check(file) } else { Command::Run(file) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Command, String> {
        parse(lexopt::Parser::from_args(arguments)).map_err(|error| error.to_string())
    }

    #[test]
    fn file_is_required_and_unknown_arguments_are_refused() {
        assert!(
            matches!(read(&["--config", "a.toml"]), Ok(Command::Run(file)) if file.as_os_str() == "a.toml")
        );
        assert!(matches!(read(&["--check", "--config=a.toml"]), Ok(Command::Check(_))));
        for (arguments, message) in [
            (&[][..], "the file is missing: write `--config gateway.toml`"),
            (&["--config"], "missing argument for option '--config'"),
            (&["--conifg", "a.toml"], "invalid option '--conifg'"),
            (&["a.toml"], "unexpected argument \"a.toml\""),
        ] {
            assert_eq!(read(arguments).err().as_deref(), Some(message));
        }
    }
}
