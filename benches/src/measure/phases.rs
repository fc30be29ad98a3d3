//! Counts the instructions of a forwarded small answer, phase by phase, and of the bare pass-through on the same client and
//! server.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use super::is_quick;
use super::process::Server;
use crate::Error;
use crate::phases::Profile;
use crate::report::{Row, Target, figure};

const WARM_UP: u32 = 50;

pub(super) fn run() -> Result<(), Error> {
    if std::process::Command::new("valgrind").arg("--version").output().is_err() {
        return figure("phases", "instructions", "not counted: valgrind is not installed");
    }
    let upstream = Server::start("upstream", "-")?;
    let (own, bare) = (count("auth-proxy", &upstream.url())?, count("bare", &upstream.url())?);
    let total = |phases: &BTreeMap<&str, f64>| phases.values().sum::<f64>();
    let of = |phases: &BTreeMap<&str, f64>, phase: &str| phases.get(phase).copied().unwrap_or_default();
    // Those that cost most come first.
    let mut phases: Vec<&str> = own.keys().copied().collect();
    phases.sort_by(|one, other| {
        (of(&own, other) - of(&bare, other)).total_cmp(&(of(&own, one) - of(&bare, one)))
    });
    for phase in phases {
        let (own, bare) = (of(&own, phase), of(&bare, phase));
        let text = format!("{own:.0} instructions, bare pass-through {bare:.0}, more {:.0}", own - bare);
        figure("phases", phase, &text)?;
    }
    let what = "instructions of a forwarded small answer";
    Row::new("phases", what, total(&own), "", Target::None).write()?;
    Row::new("phases", "the same, auth-proxy / bare", total(&own) / total(&bare), "x", Target::None).write()
}

/// Instructions of one request by phase: those of a server that gets many requests, less those of one that gets few.
fn count(side: &'static str, upstream: &str) -> Result<BTreeMap<&'static str, f64>, Error> {
    let requests = if is_quick() { 100 } else { 1000 };
    let directory = std::env::temp_dir().join(format!("auth-proxy-phases-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let profile = |requests: u32| -> Result<Profile, Error> {
        let file = directory.join(format!("{side}-{requests}"));
        let server = Server::profiled(side, upstream, &file)?;
        ask(server.port, requests)?;
        server.stop()?;
        read(&file)
    };
    let result = profile(WARM_UP).and_then(|few| Ok(profile(WARM_UP + requests)?.each(&few, requests)));
    std::fs::remove_dir_all(&directory).ok();
    result
}

fn read(file: &Path) -> Result<Profile, Error> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Profile::parse(&text))
}

/// Sends requests over one connection, each after the answer to the one before.
fn ask(port: u16, requests: u32) -> Result<(), Error> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let head = format!(
        "GET /api/auth/providers HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: a=b\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
    );
    let mut buffer = vec![0; 16 << 10];
    for _ in 0..requests {
        stream.write_all(head.as_bytes())?;
        let mut read = 0;
        // The body is an object within an object.
        while !buffer.get(..read).is_some_and(|text| text.ends_with(b"}}")) {
            let more = stream.read(buffer.get_mut(read..).unwrap_or_default())?;
            if more == 0 {
                return Err("the server closed the connection".into());
            }
            read += more;
        }
        if !buffer.starts_with(b"HTTP/1.1 200 ") {
            return Err(String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()).into());
        }
    }
    Ok(())
}
