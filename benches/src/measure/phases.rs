//! Counts the instructions of a forwarded small answer, phase by phase, and of the bare pass-through on the same client and
//! server. The same for a handler with a guard and without it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use super::is_quick;
use super::process::Server;
use crate::Error;
use crate::phases::Profile;
use crate::report::{Row, Target, figure};
use crate::tokens;

const WARM_UP: u32 = 50;

/// What is asked of a server.
struct Question {
    side: &'static str,
    path: &'static str,
    cookie: String,
}

pub(super) fn run() -> Result<(), Error> {
    if std::process::Command::new("valgrind").arg("--version").output().is_err() {
        return figure("phases", "instructions", "not counted: valgrind is not installed");
    }
    let upstream = Server::start("upstream", "-")?;
    let providers = |side| Question { side, path: "/api/auth/providers", cookie: "a=b".to_owned() };
    let (own, bare) = (providers("auth-proxy"), providers("bare"));
    compare("a forwarded small answer", &upstream.url(), [(&own, "auth-proxy"), (&bare, "bare")])?;
    // The app decodes tokens itself, so it never asks the upstream.
    let hello = |path| {
        let cookie = format!("{}={}", tokens::NAME, tokens::token(1));
        Question { side: "app", path, cookie }
    };
    let (guarded, open) = (hello("/guarded"), hello("/open"));
    compare("a small handler", &upstream.url(), [(&guarded, "guarded"), (&open, "not guarded")])
}

/// Writes the instructions of an answer in two forms, phase by phase.
fn compare(what: &str, upstream: &str, sides: [(&Question, &str); 2]) -> Result<(), Error> {
    let [(own, own_name), (other, other_name)] = sides;
    let (own, other) = (count(own, upstream)?, count(other, upstream)?);
    let total = |phases: &BTreeMap<&str, f64>| phases.values().sum::<f64>();
    let of = |phases: &BTreeMap<&str, f64>, phase: &str| phases.get(phase).copied().unwrap_or_default();
    // Those that cost most come first.
    let mut phases: Vec<&str> = own.keys().copied().collect();
    let more = |phase: &str| of(&own, phase) - of(&other, phase);
    phases.sort_by(|one, other| more(other).total_cmp(&more(one)));
    for phase in phases.into_iter().filter(|phase| of(&own, phase) > 0.0) {
        let (counted, compared) = (of(&own, phase), of(&other, phase));
        let text =
            format!("{counted:.0} instructions, {other_name} {compared:.0}, more {:.0}", counted - compared);
        figure("phases", &format!("{what}: {phase}"), &text)?;
    }
    let instructions = format!("instructions of {what}, {own_name}");
    Row::new("phases", &instructions, total(&own), "", Target::None).write()?;
    let ratio = format!("the same, {own_name} / {other_name}");
    Row::new("phases", &ratio, total(&own) / total(&other), "x", Target::None).write()
}

/// Instructions of one request by phase: those of a server that gets many requests, less those of one that gets few.
fn count(question: &Question, upstream: &str) -> Result<BTreeMap<&'static str, f64>, Error> {
    let requests = if is_quick() { 100 } else { 1000 };
    let directory = std::env::temp_dir().join(format!("auth-proxy-phases-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let profile = |requests: u32| -> Result<Profile, Error> {
        let file = directory.join(format!("{}-{requests}", question.side));
        let server = Server::profiled(question.side, upstream, &file)?;
        ask(server.port, question, requests)?;
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
fn ask(port: u16, question: &Question, requests: u32) -> Result<(), Error> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let Question { path, cookie, .. } = question;
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
    );
    let mut buffer = vec![0; 16 << 10];
    for _ in 0..requests {
        stream.write_all(head.as_bytes())?;
        let mut read = 0;
        while !buffer.get(..read).is_some_and(is_whole) {
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

/// Whether an answer has the body that its `Content-Length` tells.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let length = lines.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, length)| length.parse().ok()) == Some(body.len())
}
