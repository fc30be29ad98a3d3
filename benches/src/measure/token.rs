//! Measures the decoding of tokens: criterion's estimates, josekit and Auth.js as separate programs, and instructions
//! counted by callgrind.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Effort, is_quick};
use crate::report::{Row, Target, figure};
use crate::stats::Estimate;
use crate::{Error, count, tokens};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const BENCHES: [&str; 9] = [
    "open_cold",
    "decode_cold",
    "decode_warm",
    "raw_crypto",
    "cookie_cache_compact",
    "cookie_cache_jwt",
    "cookie_cache_jwe",
    "published_cold",
    "published_warm",
];
/// Sides that are separate programs and read tokens from standard input.
const PEERS: [&str; 2] = ["josekit", "@auth/core/jwt"];

pub(super) fn run() -> Result<(), Error> {
    figure("token", "the token", &format!("{} bytes", tokens::token(1).len()))?;
    let mut turns = vec![Vec::new(); BENCHES.len() + PEERS.len()];
    for _ in 0..Effort::usual().rounds.min(6) {
        let mut found = criterion()?;
        found.push(peer(Command::new(format!("{}/release/auth-proxy-benches-josekit", target())))?);
        let mut node = Command::new("node");
        node.arg(format!("{HERE}/authcore.mjs"));
        found.push(peer(node)?);
        for (turns, nanos) in turns.iter_mut().zip(found) {
            turns.push(nanos);
        }
    }
    for (name, nanos) in BENCHES.iter().chain(&PEERS).zip(&turns) {
        figure("token", name, &format!("{:.0} ns", Estimate::of(nanos.clone()).median))?;
    }
    let [open, cold, warm, raw, compact, jwt, jwe, published, known, josekit, auth_core] = turns.as_slice()
    else {
        return Ok(());
    };
    let ratio = |what: &str, above: &[f64], below: &[f64], target| {
        Row::new("token", what, Estimate::of_ratios(above, below), "x", target).write()
    };
    ratio("time, token opened / raw crypto", open, raw, Target::AtMost(1.3))?;
    ratio("time, @auth/core/jwt / token opened", auth_core, open, Target::AtLeast(300.0))?;
    ratio("time, josekit / token opened", josekit, open, Target::None)?;
    ratio("time, headers to claims, cold / raw crypto", cold, raw, Target::None)?;
    for (form, nanos) in [("compact", compact), ("jwt", jwt), ("jwe", jwe)] {
        let what = format!("time, session of a cookie cache, {form} / headers to claims, cold");
        ratio(&what, nanos, cold, Target::None)?;
    }
    let what = "time, token by a published Ed25519 key, cold / headers to claims, cold";
    ratio(what, published, cold, Target::None)?;
    let what = "time, token by a published key, warm / headers to claims, warm";
    ratio(what, known, warm, Target::None)?;
    let warm = Estimate::of(warm.clone());
    Row::new("token", "headers to claims, warm", warm, " ns", Target::AtMost(250.0)).write()?;
    instructions()
}

/// Runs `micro/decode.rs`. Returns nanoseconds in the order of [`BENCHES`].
fn criterion() -> Result<Vec<f64>, Error> {
    let seconds = if is_quick() { "1" } else { "2" };
    let mut command = Command::new("cargo");
    command.args(["bench", "--locked", "--bench", "decode", "--"]).current_dir(HERE);
    command.args(["--noplot", "--warm-up-time", "1", "--measurement-time", seconds]);
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let target = target();
    let read = |name: &&str| {
        let file = std::fs::read_to_string(format!("{target}/criterion/token/{name}/new/estimates.json"))?;
        let estimates: Value = serde_json::from_str(&file)?;
        let median = estimates.pointer("/median/point_estimate").and_then(Value::as_f64);
        median.ok_or_else(|| "no median".into())
    };
    BENCHES.iter().map(read).collect()
}

fn target() -> String {
    std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| format!("{HERE}/target"))
}

/// Runs one of [`PEERS`]. Returns its nanoseconds for one token.
fn peer(mut command: Command) -> Result<f64, Error> {
    let key = tokens::key()?.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    command.env("SECONDS", if is_quick() { "1" } else { "4" }).env("NODE_ENV", "production");
    command.env("KEY", key).env("SECRET", tokens::SECRET).env("SALT", tokens::NAME);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    for n in 0..256 {
        writeln!(input, "{}", tokens::token(n))?;
    }
    drop(input);
    Ok(String::from_utf8(child.wait_with_output()?.stdout)?.trim().parse()?)
}

/// Counts instructions if valgrind is installed. valgrind emulates AES-NI and AVX2, but not AVX-512.
fn instructions() -> Result<(), Error> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return figure("token", "instructions", "not counted: valgrind is not installed");
    }
    let each = |what| -> Result<f64, Error> {
        Ok(callgrind(what, count::MOST)? / f64::from(u32::try_from(count::MOST)?))
    };
    let (open, raw) = (each("open-cold")?, each("raw-crypto")?);
    let (cold, warm) = (each("decode-cold")?, each("decode-warm")?);
    let all = format!("opened {open:.0}, cold {cold:.0}, warm {warm:.0}, raw crypto {raw:.0}");
    figure("token", "instructions", &all)?;
    Row::new("token", "instructions, token opened / raw crypto", open / raw, "x", Target::None).write()?;
    Row::new("token", "instructions, headers to claims, cold / raw crypto", cold / raw, "x", Target::None)
        .write()?;
    Row::new("token", "instructions, headers to claims, warm", warm, "", Target::None).write()
}

fn callgrind(what: &str, times: usize) -> Result<f64, Error> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*counted*"]);
    command.arg(std::env::current_exe()?);
    let output = command.args(["count", what, &times.to_string()]).output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find_map(|line| line.split_once("Collected : "));
    let (_, figure) = line.ok_or_else(|| format!("callgrind: {text}"))?;
    Ok(figure.trim().parse()?)
}
