//! Point 1: what a lookup that waits holds.

use std::process::Command;

use auth_proxy::Strategy;
use auth_proxy_tests::App;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::node::{HANGS, Node};
use crate::pages::app;
use crate::support::{Auth, COOKIE};

const WAITING: usize = 1000;
/// KiB of a lookup.
const BOUND: usize = 128;

/// KiB that this process has in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4
}

/// Sends lookups and leaves them waiting, the first with a number.
async fn wait(app: &App, from: usize, count: usize) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for n in from..from + count {
        let mut stream = TcpStream::connect(app.addr).await.unwrap();
        // The largest that goes up: 12 KiB with its name.
        let request = format!(
            "GET /me HTTP/1.1\r\nHost: localhost\r\nCookie: {COOKIE}=AAAA..AAAA.{}.{n:04}\r\n\r\n",
            "A".repeat(11_900)
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        open.push(stream);
    }
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    open
}

/// In a process of its own, so that no other test is measured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_lookups_that_wait_hold_little() {
    const INSIDE: &str = "ATTACKS_MEASURE_MEMORY";
    if std::env::var_os(INSIDE).is_none() {
        let name = "memory::a_thousand_lookups_that_wait_hold_little";
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.args(["--exact", name, "--nocapture"]).env(INSIDE, "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        print!(
            "{}",
            said.lines()
                .filter(|line| line.contains("KiB"))
                .fold(String::new(), |all, line| all + line + "\n")
        );
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    for strategy in [Strategy::Jwt, Strategy::Database] {
        let node = Node::start(HANGS);
        let builder = Auth::builder().base_url(node.url.clone()).session_strategy(strategy);
        let app = app(builder.timeout(std::time::Duration::from_secs(120))).await;
        // What is there once and stays: pools, tables, the allocator's own.
        let first = wait(&app, 0, 20).await;
        let before = resident();
        let open = wait(&app, 20, WAITING).await;
        let each = (resident() - before) / WAITING;
        println!("memory: {WAITING} lookups that wait hold {each} KiB each, {}", strategy.word());
        assert!(each <= BOUND, "{each} KiB");
        // Else nothing waited.
        assert!(each >= 12, "{each} KiB");
        drop((first, open));
    }
}
