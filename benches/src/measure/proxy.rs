//! Measures forwarded requests: small and large responses through each proxy.

use super::Effort;
use super::process::Server;
use super::wrk::{Load, Turns, compare};
use crate::Error;
use crate::report::{Row, Target, figure};

pub(super) fn run() -> Result<(), Error> {
    let upstream = Server::start("upstream", "-")?;
    let url = upstream.url();
    // The first side is auth-proxy, with which the others are compared.
    let mut sides = Vec::new();
    for name in ["auth-proxy", "bare", "axum-reverse-proxy", "reqwest", "hyper-util"] {
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
        figure("proxy", &format!("auth-proxy, {what}"), &own.medians().to_string())?;
        for (side, figures) in sides.iter().skip(1).zip(others) {
            figure("proxy", &format!("{}, {what}", side.name), &figures.medians().to_string())?;
        }
        for (side, figures) in sides.iter().skip(1).zip(others) {
            rows(side.name, what, own, figures)?;
        }
    }
    Ok(())
}

fn rows(side: &str, what: &str, own: &Turns, other: &Turns) -> Result<(), Error> {
    let small = what.starts_with("small");
    let (throughput, efficiency) = match side {
        "axum-reverse-proxy" | "reqwest" if small => (Target::AtLeast(1.3), Target::None),
        // The target for nginx is CPU time: load generator and upstream share the cores, so requests/s depend on all
        // three.
        "nginx" if small => (Target::None, Target::AtLeast(1.0)),
        _ => (Target::None, Target::None),
    };
    let label = |of: &str| format!("{what}: {of}, auth-proxy / {side}");
    let per_second = own.ratio(other, |turn| turn.per_second);
    Row::new("proxy", &label("requests/s"), per_second, "x", throughput).write()?;
    if side == "bare" {
        // What the checks and rewrites cost, on the same client and server.
        let cpu = own.ratio(other, |turn| turn.cpu);
        let target = if small { Target::AtMost(1.05) } else { Target::None };
        return Row::new("proxy", &label("CPU of a request"), cpu, "x", target).write();
    }
    let efficient = other.ratio(own, |turn| turn.cpu);
    Row::new("proxy", &label("requests per CPU second"), efficient, "x", efficiency).write()
}
