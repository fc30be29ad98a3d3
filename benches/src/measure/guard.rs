//! Measures the cost of `#[require_session]`: the same handler with and without it, with a valid cookie.

use super::Effort;
use super::process::Server;
use super::wrk::{Load, compare};
use crate::report::{Row, Target, figure};
use crate::stats::Estimate;
use crate::{Error, tokens};

pub(super) fn run() -> Result<(), Error> {
    // The app decodes tokens itself, so it never uses this upstream.
    let app = Server::start("app", "http://127.0.0.1:9")?;
    let cookie = format!("{}={}", tokens::NAME, tokens::token(1));
    let load = |path| (&app, Load { path, connections: 32, cookie: Some(cookie.as_str()) });
    let figures = compare(&[load("/guarded"), load("/open")], &Effort::usual())?;
    let [guarded, open] = figures.as_slice() else { return Ok(()) };
    figure("guard", "guarded", &guarded.medians().to_string())?;
    figure("guard", "not guarded", &open.medians().to_string())?;
    let ratio = guarded.ratio(open, |turn| turn.per_second);
    Row::new("guard", "requests/s, guarded / not", ratio, "x", Target::AtLeast(0.98)).write()?;
    let more = Estimate::of_differences(&guarded.each(|turn| turn.cpu), &open.each(|turn| turn.cpu));
    Row::new("guard", "CPU of a request, guarded - not", more, " µs", Target::None).write()
}
