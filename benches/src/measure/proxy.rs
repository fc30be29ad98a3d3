//! Measures forwarded requests: small and large responses through each proxy.

use super::Effort;
use super::process::Server;
use super::wrk::{Figures, Load, compare};
use crate::Error;
use crate::report::{Row, Target, figure};

pub(super) fn run() -> Result<(), Error> {
    let upstream = Server::start("upstream", "-")?;
    let url = upstream.url();
    // The first side is auth-proxy, with which the others are compared.
    let mut sides = Vec::new();
    for name in ["auth-proxy", "axum-reverse-proxy", "reqwest", "hyper-util"] {
        sides.push(Server::start(name, &url)?);
    }
    sides.push(Server::nginx(upstream.port)?);
    for (what, path, connections) in
        [("small answers", "/api/auth/providers", 32), ("1 MiB answers", "/api/auth/big", 8)]
    {
        let with_load = |server| (server, Load { path, connections, cookie: None });
        let turns: Vec<_> = sides.iter().map(with_load).collect();
        let figures = compare(&turns, &Effort::usual())?;
        let Some((own, others)) = figures.split_first() else { return Ok(()) };
        figure("proxy", &format!("auth-proxy, {what}"), &own.to_string())?;
        for (side, figures) in sides.iter().skip(1).zip(others) {
            figure("proxy", &format!("{}, {what}", side.name), &figures.to_string())?;
        }
        for (side, figures) in sides.iter().skip(1).zip(others) {
            rows(side.name, what, own, figures)?;
        }
    }
    Ok(())
}

fn rows(side: &str, what: &str, own: &Figures, other: &Figures) -> Result<(), Error> {
    let small = what.starts_with("small");
    let (throughput, cpu) = match side {
        "axum-reverse-proxy" | "reqwest" if small => (Target::AtLeast(1.3), Target::None),
        // The target for nginx is CPU time: load generator and upstream share the cores, so requests/s depend on all
        // three.
        "nginx" if small => (Target::None, Target::AtLeast(1.0)),
        _ => (Target::None, Target::None),
    };
    let label = |of: &str| format!("{what}: {of}, auth-proxy / {side}");
    let per_second = own.per_second / other.per_second;
    Row::new("proxy", &label("requests/s"), per_second, "x", throughput).write()?;
    Row::new("proxy", &label("requests per CPU second"), other.cpu / own.cpu, "x", cpu).write()
}
