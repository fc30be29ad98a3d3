//! Measures `Session<Auth>` in a handler with a real Auth.js upstream, and direct requests to that server for
//! comparison.

use super::Effort;
use super::process::Server;
use super::wrk::{Load, compare};
use crate::report::{Row, Target, figure};
use crate::{Error, tokens};

pub(super) fn run() -> Result<(), Error> {
    let express = Server::express()?;
    let app = Server::start("app", &express.url())?;
    let cookie = format!("{}={}", tokens::NAME, tokens::token(1));
    let load = |path| Load { path, connections: 16, cookie: Some(cookie.as_str()) };
    let sides = [(&express, load("/api/auth/session")), (&app, load("/me")), (&app, load("/me-cached"))];
    // The test server records every request, so short turns limit its memory.
    let effort = Effort { seconds: Effort::usual().seconds.min(3), ..Effort::usual() };
    let figures = compare(&sides, &effort)?;
    let labels = ["Express + Auth.js, directly", "Session<Auth>, which asks it", "Session<Auth>, cached"];
    for (label, figures) in labels.iter().zip(&figures) {
        figure("session", label, &figures.medians().to_string())?;
    }
    let [direct, asking, cached] = figures.as_slice() else { return Ok(()) };
    let part = "session";
    Row::new(
        part,
        "requests/s, asking / direct",
        asking.ratio(direct, |turn| turn.per_second),
        "x",
        Target::None,
    )
    .write()?;
    let times = cached.ratio(direct, |turn| turn.per_second);
    Row::new(part, "requests/s, cached / direct", times, "x", Target::None).write()
}
