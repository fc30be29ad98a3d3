//! Measures the memory of 1,000 concurrent slow responses, and of 10,000 idle clients.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::is_quick;
use super::process::Server;
use crate::Error;
use crate::report::{Row, Target, figure};
use crate::stats::Estimate;

/// The compared sides; auth-proxy is the first.
const SIDES: [&str; 3] = ["auth-proxy", "hyper-util", "reqwest"];

/// What stands in the way of auth-proxy with idle clients: an app of `axum::serve` without auth-proxy, and auth-proxy on the
/// server of hyper-util's side.
const PARTS: [&str; 2] = ["axum", "auth-proxy-http1"];

pub(super) fn run() -> Result<(), Error> {
    let upstream = Server::start("upstream", "-")?;
    let (streams, clients) = if is_quick() { (200_u32, 1000_u32) } else { (1000, 10_000) };
    let runtime = tokio::runtime::Runtime::new()?;
    let mut streams_of = vec![Vec::new(); SIDES.len()];
    let mut idle_of = vec![Vec::new(); SIDES.len() + PARTS.len()];
    for _ in 0..if is_quick() { 1 } else { 3 } {
        // A new process for each measurement, since allocators keep freed memory.
        for (name, in_streams) in SIDES.iter().zip(&mut streams_of) {
            let server = Server::start(name, &upstream.url())?;
            in_streams.push(runtime.block_on(streaming(&server, streams))?);
        }
        for (name, in_idle) in SIDES.iter().chain(&PARTS).zip(&mut idle_of) {
            let server = Server::start(name, &upstream.url())?;
            in_idle.push(runtime.block_on(idle(&server, clients))?);
        }
    }
    for (name, in_streams) in SIDES.iter().zip(&streams_of) {
        figure("memory", name, &format!("{} KiB a stream", Estimate::of(in_streams.clone())))?;
    }
    for (name, in_idle) in SIDES.iter().chain(&PARTS).zip(&idle_of) {
        figure("memory", name, &format!("{} KiB an idle client", Estimate::of(in_idle.clone())))?;
    }
    let ([stream, bare_stream, ..], [client, bare_client, _, axum, http1]) =
        (streams_of.as_slice(), idle_of.as_slice())
    else {
        return Ok(());
    };
    let row =
        |what: &str, value: Estimate, unit, target| Row::new("memory", what, value, unit, target).write();
    // A response has 1024 KiB. The proxy may hold only the buffers of two connections of it.
    row(
        &format!("KiB for each of {streams} slow 1 MiB answers"),
        Estimate::of(stream.clone()),
        " KiB",
        Target::AtMost(128.0),
    )?;
    row("the same, auth-proxy / hyper-util", Estimate::of_ratios(stream, bare_stream), "x", Target::None)?;
    row(
        &format!("KiB for each of {clients} idle clients"),
        Estimate::of(client.clone()),
        " KiB",
        Target::None,
    )?;
    let ratio = |what: &str, above: &[f64], below: &[f64]| {
        row(what, Estimate::of_ratios(above, below), "x", Target::AtMost(1.1))
    };
    ratio("the same, auth-proxy / hyper-util", client, bare_client)?;
    ratio("the same, auth-proxy / axum without it", client, axum)?;
    ratio("the same, auth-proxy on the server of hyper-util's side / hyper-util", http1, bare_client)
}

/// The peak of memory for each of this many concurrent slow responses, in KiB.
async fn streaming(server: &Server, count: u32) -> Result<f64, Error> {
    let port = server.port;
    fetch(port, "/api/auth/providers").await?;
    let before = server.memory()?;
    let mut streams = JoinSet::new();
    for _ in 0..count {
        streams.spawn(fetch(port, "/api/auth/slow"));
    }
    let mut most: f64 = before;
    while !streams.is_empty() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(100)) => most = most.max(server.memory()?),
            Some(done) = streams.join_next() => {
                let length = done??;
                if length < 1 << 20 {
                    return Err(format!("{} broke off after {length} bytes", server.name).into());
                }
            }
        }
    }
    Ok((most - before) / f64::from(count))
}

/// Reads a response to its end. Returns its length, head included.
async fn fetch(port: u16, path: &str) -> Result<usize, Error> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let (mut buffer, mut length) = (vec![0; 16 << 10], 0);
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(length),
            read => length += read,
        }
    }
}

/// The memory for each of this many clients that stay connected after a response, in KiB.
async fn idle(server: &Server, count: u32) -> Result<f64, Error> {
    fetch(server.port, "/api/auth/providers").await?;
    let before = server.memory()?;
    let mut clients = Vec::new();
    let head = format!("GET /api/auth/providers HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", server.port);
    // The clients connect one after the other, so that the proxy needs few connections to the upstream.
    for _ in 0..count {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await?;
        stream.write_all(head.as_bytes()).await?;
        let mut buffer = vec![0; 4096];
        if stream.read(&mut buffer).await? == 0 {
            return Err(format!("{} closed", server.name).into());
        }
        clients.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok((server.memory()? - before) / f64::from(count))
}
