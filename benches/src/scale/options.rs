//! The assumptions, with their defaults.

use std::fmt;

use crate::Error;

/// The assumptions of the table.
#[derive(Clone, Debug)]
pub struct Options {
    /// Requests of a session in a second, on average.
    pub requests: f64,
    /// Sign-outs of a session in a day.
    pub sign_outs: f64,
    /// `session.cache` in seconds.
    pub cache: f64,
    /// Lookups that the upstream answers in a second.
    pub upstream: f64,
    /// Operations that one Redis carries out in a second.
    pub redis: f64,
    /// Bits of the network of Redis in a second, in each direction.
    pub network: f64,
    /// Whether a load balancer sends a session to the same instance each time.
    pub sticky: bool,
    /// Whether the costs are measured anew.
    pub measure: bool,
    /// Whether only the table of the guide is printed.
    pub guide: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            requests: 0.1,
            sign_outs: 1.0,
            cache: 30.0,
            upstream: 1_000.0,
            redis: 100_000.0,
            network: 1e9,
            sticky: false,
            measure: false,
            guide: false,
        }
    }
}

impl Options {
    /// Reads `--requests 0.5 --cache 60 --sticky` and the like.
    ///
    /// # Errors
    /// If an argument is unknown, or is no number above zero.
    pub fn read(arguments: &[&str]) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut left = arguments.iter();
        while let Some(name) = left.next() {
            let field = match *name {
                "--sticky" => {
                    options.sticky = true;
                    continue;
                }
                "--measure" => {
                    options.measure = true;
                    continue;
                }
                "--guide" => {
                    options.guide = true;
                    continue;
                }
                "--requests" => &mut options.requests,
                "--sign-outs" => &mut options.sign_outs,
                "--cache" => &mut options.cache,
                "--upstream" => &mut options.upstream,
                "--redis" => &mut options.redis,
                "--network" => &mut options.network,
                _ => return Err(format!("unknown argument `{name}`\n{options}").into()),
            };
            let value = left.next().and_then(|value| value.parse::<f64>().ok());
            let value = value.filter(|value| value.is_finite() && *value > 0.0);
            *field = value.ok_or_else(|| format!("`{name}` needs a number above zero"))?;
        }
        Ok(options)
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name, value: f64, what| writeln!(f, "{:16}  {what}", format!("{name} {value}"));
        let routing = if self.sticky { "the same instance each time" } else { "any instance" };
        line("--requests", self.requests, "requests of a session in a second, at random times")?;
        line("--sign-outs", self.sign_outs, "sign-outs of a session in a day")?;
        line("--cache", self.cache, "session.cache in seconds")?;
        line("--upstream", self.upstream, "lookups that the upstream answers in a second")?;
        line("--redis", self.redis, "operations of one Redis in a second")?;
        line("--network", self.network, "bits in a second at Redis, in each direction")?;
        writeln!(f, "--sticky          a session goes to the same instance each time (now: {routing})")?;
        writeln!(f, "--measure         measure the costs now")?;
        write!(f, "--guide           print only the table of the guide")
    }
}
