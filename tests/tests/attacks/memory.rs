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
/// Tokens of so many of a character: the largest that goes up, the largest that is read, and one that would be three times
/// as large once it is encoded.
const TOKENS: [(&str, usize); 3] = [("A", 11_900), ("A", 63_000), ("|", 22_000)];

/// KiB that this process has in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4
}

/// Sends lookups and leaves them waiting. Answers the connections.
async fn wait(app: &App, from: usize, count: usize, (text, size): (&str, usize)) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for n in from..from + count {
        let mut stream = TcpStream::connect(app.addr).await.unwrap();
        let token = format!("AAAA..AAAA.{}.{n:04}", text.repeat(size));
        let request = format!("GET /me HTTP/1.1\r\nHost: localhost\r\nCookie: {COOKIE}={token}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        open.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    open
}

async fn measure(strategy: Strategy, (text, size): (&str, usize)) {
    let node = Node::start(HANGS);
    let builder = Auth::builder().upstream_base_url(node.url.clone()).upstream_session_strategy(strategy);
    let app = app(builder.upstream_timeout(Duration::from_secs(120))).await;
    // What is there once and stays: pools, tables, the allocator's own.
    let first = wait(&app, 0, 20, (text, size)).await;
    let before = resident();
    let open = wait(&app, 20, LOOKUPS, (text, size)).await;
    let each = (resident() - before) / LOOKUPS;
    let waiting = open.iter().filter(|stream| stream.try_read(&mut [0]).is_err()).count();
    println!(
        "memory: {LOOKUPS} lookups with {size} `{text}` hold {each} KiB each, of which {waiting} wait, {}",
        strategy
    );
    assert!(each <= BOUND, "{each} KiB");
    // Else nothing was measured.
    assert!(size > 11_900 || waiting == LOOKUPS, "{waiting}");
    drop((first, open));
}

/// Each in a process of its own, so that no other test is measured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_lookups_that_wait_hold_little() {
    const INSIDE: &str = "ATTACKS_MEASURE_MEMORY";
    let all = [Jwt, Database].map(|strategy| TOKENS.map(|token| (strategy, token)));
    if let Ok(asked) = std::env::var(INSIDE) {
        let (strategy, token) = all.as_flattened()[asked.parse::<usize>().unwrap()];
        return measure(strategy, token).await;
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
