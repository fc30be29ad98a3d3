//! Attack: a client exhausts the memory of the app with lookups that wait for an upstream that never responds.

use std::process::Command;
use std::time::Duration;

use auth_proxy::options::{
    SessionStrategy,
    SessionStrategy::{Database, Jwt},
};
use auth_proxy_tests::{App, COOKIE_NAME};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{Auth, HANGS, Node, app};

const LOOKUPS: usize = 1000;
/// The most that one waiting lookup may hold, in KiB.
const BOUND: usize = 128;
/// Tokens, as a character and how often it is repeated: the longest token that is sent to the upstream, the longest
/// that is read, and a token that percent-encoding would make three times as long.
const TOKENS: [(&str, usize); 3] = [("A", 11_900), ("A", 63_000), ("|", 22_000)];

/// Resident memory of this process, in KiB.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4
}

/// Sends requests whose lookups wait for the upstream. Returns their connections.
async fn start_lookups(app: &App, from: usize, count: usize, (text, size): (&str, usize)) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for n in from..from + count {
        let mut stream = TcpStream::connect(app.addr).await.unwrap();
        let token = format!("AAAA..AAAA.{}.{n:04}", text.repeat(size));
        let request = format!("GET /me HTTP/1.1\r\nHost: localhost\r\nCookie: {COOKIE_NAME}={token}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        open.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    open
}

async fn measure(strategy: SessionStrategy, (text, size): (&str, usize)) {
    let node = Node::start(HANGS);
    let builder = Auth::builder().upstream_base_url(node.url.clone()).upstream_session_strategy(strategy);
    let app = app(builder.upstream_timeout(Duration::from_secs(120))).await;
    // Fills pools, tables and the allocator first: their memory does not grow with each lookup.
    let first = start_lookups(&app, 0, 20, (text, size)).await;
    let before = resident();
    let open = start_lookups(&app, 20, LOOKUPS, (text, size)).await;
    let each = (resident() - before) / LOOKUPS;
    let waiting = open.iter().filter(|stream| stream.try_read(&mut [0]).is_err()).count();
    println!(
        "memory: {LOOKUPS} lookups with {size} `{text}` hold {each} KiB each, of which {waiting} wait, {strategy}"
    );
    assert!(each <= BOUND, "a lookup holds {each} KiB, more than {BOUND} KiB");
    // A lookup that does not wait holds no memory, so the measurement would prove nothing.
    assert!(size > 11_900 || waiting == LOOKUPS, "only {waiting} of {LOOKUPS} lookups are waiting");
    drop((first, open));
}

/// Each measurement runs in its own process: the memory of other tests must not be measured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousand_waiting_lookups_stay_within_the_memory_bound() {
    const INSIDE: &str = "ATTACKS_MEASURE_MEMORY";
    let all = [Jwt, Database].map(|strategy| TOKENS.map(|token| (strategy, token)));
    if let Ok(number) = std::env::var(INSIDE) {
        let (strategy, token) = all.as_flattened()[number.parse::<usize>().unwrap()];
        return measure(strategy, token).await;
    }
    let mut failed = Vec::new();
    for number in 0..all.as_flattened().len() {
        let name = "memory::thousand_waiting_lookups_stay_within_the_memory_bound";
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", name, "--nocapture"]).env(INSIDE, number.to_string());
        let output = command.output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        stdout.lines().filter(|line| line.starts_with("memory:")).for_each(|line| println!("{line}"));
        if !output.status.success() {
            failed.push(format!("{stdout}{}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
