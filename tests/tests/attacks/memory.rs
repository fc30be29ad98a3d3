//! Point 1: what a lookup that waits holds.

use std::process::Command;
use std::time::Duration;

use auth_proxy::{Strategy, Strategy::Database, Strategy::Jwt};
use auth_proxy_tests::App;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::node::{HANGS, Node};
use crate::pages::app;
use crate::support::{Auth, COOKIE};

const LOOKUPS: usize = 1000;
/// KiB of a lookup.
const BOUND: usize = 128;
/// Bytes of a token: the largest that goes up, and the largest that is read.
const SIZES: [usize; 2] = [11_900, 63_000];

/// KiB that this process has in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4
}

/// Sends lookups and leaves them waiting. Answers the connections.
async fn wait(app: &App, from: usize, count: usize, size: usize) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for n in from..from + count {
        let mut stream = TcpStream::connect(app.addr).await.unwrap();
        let token = format!("AAAA..AAAA.{}.{n:04}", "A".repeat(size));
        let request = format!("GET /me HTTP/1.1\r\nHost: localhost\r\nCookie: {COOKIE}={token}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        open.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    open
}

async fn measure(strategy: Strategy, size: usize) {
    let node = Node::start(HANGS);
    let builder = Auth::builder().base_url(node.url.clone()).session_strategy(strategy);
    let app = app(builder.timeout(Duration::from_secs(120))).await;
    // What is there once and stays: pools, tables, the allocator's own.
    let first = wait(&app, 0, 20, size).await;
    let before = resident();
    let open = wait(&app, 20, LOOKUPS, size).await;
    let each = (resident() - before) / LOOKUPS;
    let waiting = open.iter().filter(|stream| stream.try_read(&mut [0]).is_err()).count();
    println!(
        "memory: {LOOKUPS} lookups with {size} bytes hold {each} KiB each, of which {waiting} wait, {}",
        strategy.word()
    );
    assert!(each <= BOUND, "{each} KiB");
    // Else nothing was measured.
    assert!(size > 12_000 || waiting == LOOKUPS, "{waiting}");
    drop((first, open));
}

/// Each in a process of its own, so that no other test is measured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_lookups_that_wait_hold_little() {
    const INSIDE: &str = "ATTACKS_MEASURE_MEMORY";
    let all = [Jwt, Database].map(|strategy| SIZES.map(|size| (strategy, size)));
    if let Ok(asked) = std::env::var(INSIDE) {
        let (strategy, size) = all.as_flattened()[asked.parse::<usize>().unwrap()];
        return measure(strategy, size).await;
    }
    let mut failed = Vec::new();
    for number in 0..all.as_flattened().len() {
        let name = "memory::a_thousand_lookups_that_wait_hold_little";
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", name, "--nocapture"]).env(INSIDE, number.to_string());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.lines().filter(|line| line.starts_with("memory:")).for_each(|line| println!("{line}"));
        if !output.status.success() {
            failed.push(format!("{said}{}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
