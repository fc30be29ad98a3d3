//! The causes of an error, in one line for logs.

use std::error::Error;
use std::fmt;
use std::iter::successors;

/// Displays an error with its causes: `tcp connect error: Connection refused (os error 111)`.
pub(crate) struct Causes<'e>(pub(crate) &'e (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0.to_string();
        f.write_str(&last)?;
        for cause in successors(self.0.source(), |cause: &&(dyn Error + 'static)| (*cause).source()) {
            let text = cause.to_string();
            // Some errors display their cause themselves.
            if !last.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            last = text;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no connection")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn causes_are_displayed_in_one_line_and_once() {
        let outer = Outer(std::io::Error::other("refused"));
        assert_eq!(Causes(&outer).to_string(), "no connection: refused");
        // `io::Error::other` displays its inner error and has that error's source.
        let repeated = std::io::Error::other(Outer(std::io::Error::other("no connection")));
        assert_eq!(Causes(&repeated).to_string(), "no connection");
    }
}
