//! The command line.

use std::path::PathBuf;

use lexopt::prelude::{Long, Short, Value};

pub(crate) const USAGE: &str = "\
usage: auth-proxy-gateway --config FILE [--check]
       auth-proxy-gateway doctor --config FILE [--json]

  --config FILE   the configuration file, in TOML
  --check         print every mistake of the file, and do not start
  doctor          ask the login server, the store and the app a few harmless
                  questions, and print what is wrong and what to change
  --json          print the report as JSON
  --help          print this text
  --version       print the version
";

/// What the command line asks for.
pub(crate) enum Command {
    Run(PathBuf),
    Check(PathBuf),
    /// With whether the report is to be JSON.
    Doctor(PathBuf, bool),
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
    let (mut file, mut checks, mut examines, mut json) = (None, false, false, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("config") | Short('c') => file = Some(PathBuf::from(arguments.value()?)),
            Long("check") => checks = true,
            Long("json") => json = true,
            Value(command) if command == "doctor" && !examines => examines = true,
            Long("help") | Short('h') => return Ok(Command::Print(USAGE.to_owned())),
            Long("version") | Short('V') => {
                return Ok(Command::Print(format!("auth-proxy-gateway {}\n", env!("CARGO_PKG_VERSION"))));
            }
            Value(_) | Long(_) | Short(_) => return Err(argument.unexpected()),
        }
    }
    let file = file.ok_or("the file is missing: write `--config gateway.toml`")?;
    match (examines, checks, json) {
        (true, false, json) => Ok(Command::Doctor(file, json)),
        (false, true, false) => Ok(Command::Check(file)),
        (false, false, false) => Ok(Command::Run(file)),
        (true, true, _) => Err("`doctor` checks the file too: remove `--check`".into()),
        (false, _, true) => Err("`--json` is for `doctor`".into()),
    }
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
        assert!(matches!(read(&["doctor", "--config=a.toml", "--json"]), Ok(Command::Doctor(_, true))));
        for (arguments, message) in [
            (&[][..], "the file is missing: write `--config gateway.toml`"),
            (&["--config"], "missing argument for option '--config'"),
            (&["--conifg", "a.toml"], "invalid option '--conifg'"),
            (&["a.toml"], "unexpected argument \"a.toml\""),
            (&["doctor", "doctor", "--config", "a"], "unexpected argument \"doctor\""),
            (&["doctor", "--check", "--config", "a"], "`doctor` checks the file too: remove `--check`"),
            (&["--json", "--config", "a"], "`--json` is for `doctor`"),
        ] {
            assert_eq!(read(arguments).err().as_deref(), Some(message));
        }
    }
}
