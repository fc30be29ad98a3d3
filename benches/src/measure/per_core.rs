//! Measures small forwarded responses with a runtime for each core, with a Unix socket as upstream, and with both.

use super::Effort;
use super::process::Server;
use super::wrk::{Load, compare};
use crate::Error;
use crate::report::{Row, Target, figure};

const WHAT: &str = "small answers";

pub(super) fn run() -> Result<(), Error> {
    let socket = std::env::temp_dir().join(format!("auth-proxy-benches-{}.sock", std::process::id()));
    let upstream = Server::start("upstream", &socket.to_string_lossy())?;
    let (tcp, unix) = (upstream.url(), format!("unix:{}", socket.display()));
    let sides = [
        ("auth-proxy", Server::start("auth-proxy", &tcp)?),
        ("a Unix socket", Server::start("auth-proxy", &unix)?),
        ("a runtime per core", Server::start("per-core", &tcp)?),
        ("both", Server::start("per-core", &unix)?),
        ("nginx", Server::nginx(upstream.port)?),
        ("nginx, Unix socket", Server::nginx_at(&unix)?),
    ];
    let load = |server| (server, Load { path: "/api/auth/providers", connections: 32, cookie: None });
    let turns: Vec<_> = sides.iter().map(|(_, server)| load(server)).collect();
    let figures = compare(&turns, &Effort::usual())?;
    for ((name, _), figures) in sides.iter().zip(&figures) {
        figure("per-core", &format!("{name}, {WHAT}"), &figures.medians().to_string())?;
    }
    let [plain, unix, per_core, both, nginx, nginx_unix] = figures.as_slice() else {
        return Err("a side has no figures".into());
    };
    for (name, own, other, against, target) in [
        ("a Unix socket", unix, plain, "auth-proxy", Target::None),
        ("a runtime per core", per_core, plain, "auth-proxy", Target::None),
        ("both", both, plain, "auth-proxy", Target::None),
        ("both", both, nginx, "nginx", Target::AtLeast(1.0)),
        ("both", both, nginx_unix, "nginx with a Unix socket", Target::None),
    ] {
        let label = format!("{WHAT}: requests per CPU second, {name} / {against}");
        Row::new("per-core", &label, other.ratio(own, |turn| turn.cpu), "x", target).write()?;
    }
    std::fs::remove_file(&socket)?;
    Ok(())
}
