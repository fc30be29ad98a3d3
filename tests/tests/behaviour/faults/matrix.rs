use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::{alive_tasks, settles};

use super::caller::{Caller, Outcome, Seen, Visitor};
use super::expected::{INSTEAD, complaints, expected};
use crate::support::{is_robo, users};

/// `upstream.timeout` for faults that end by it, and for faults that must end earlier.
const SHORT: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(20);

/// How long an open circuit may take to close.
const RECOVERS: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_sign_nobody_in_or_out() {
    let only = std::env::var("FAULT").unwrap_or_default();
    let mut table = String::from("| fault |");
    for caller in Caller::ALL {
        write!(table, " {caller:?} |").unwrap();
    }
    table += &format!("\n|---|{}\n", "---|".repeat(Caller::ALL.len()));
    let base = alive_tasks();
    let mut wrong = Vec::new();
    for fault in Fault::ALL.iter().filter(|fault| format!("{fault:?}").contains(&only)) {
        let (seen, mut complaints) = play(*fault).await;
        table += &row(*fault, &seen);
        wrong.append(&mut complaints);
    }
    println!("{table}");
    write_table(&table);
    // The task that closes idle connections ends last.
    if !settles(|| alive_tasks() <= base).await {
        wrong.push(format!("{} tasks are left of {base}", alive_tasks()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs every caller against one fault: before it, during it, after it, and after the callers are dropped.
async fn play(fault: Fault) -> (Vec<Seen>, Vec<String>) {
    let expected = expected(fault);
    let limit = if expected.is_late() { SHORT } else { LONG };
    let upstream = users(FakeUpstream::builder()).start().await.unwrap();
    let before = alive_tasks();
    let mut visitors = Vec::new();
    for caller in Caller::ALL {
        visitors.push(Arc::new(Visitor::start(&upstream, caller, limit).await));
    }
    let healthy = all(&visitors).await;
    let mut wrong = Vec::new();
    for (visitor, seen) in visitors.iter().zip(&healthy) {
        assert!(is_healthy(visitor.caller, seen), "{fault:?}, before: {:?}: {seen:?}", visitor.caller);
    }
    let lookups = upstream.lookups();
    upstream.set_fault(Some(fault)).await.unwrap();
    let seen = all(&visitors).await;
    if fault != Fault::Refused {
        // Without lookups no caller has met the fault.
        assert!(upstream.lookups() >= lookups + 5, "{fault:?}: too few lookups");
    }
    for ((visitor, seen), healthy) in visitors.iter().zip(&seen).zip(&healthy) {
        let may = expected.of(visitor.caller);
        wrong.extend(
            complaints(visitor, seen, healthy, may, limit)
                .into_iter()
                .map(|wrong| format!("{fault:?}: {wrong}")),
        );
    }
    wrong.extend(details(fault, &visitors, &seen));

    // Abandoned connections are closed. Only a connection whose response was complete stays open for reuse.
    let ended = |seen: &&Seen| !expected.is_late() || matches!(seen.outcome, Outcome::Passed(_));
    let most = seen.iter().filter(ended).count();
    if !settles(|| upstream.open_connections() <= most).await {
        wrong.push(format!("{fault:?}: {} connections are left, of {most}", upstream.open_connections()));
    }

    upstream.set_fault(None).await.unwrap();
    for ((visitor, again), healthy) in visitors.iter().zip(all_recovered(&visitors).await).zip(&healthy) {
        if !is_healthy(visitor.caller, &again) || again.status != healthy.status {
            wrong.push(format!("{fault:?}, afterwards: {:?}: {again:?}", visitor.caller));
        }
    }
    let sweepers = visitors.len();
    drop(visitors);
    if !settles(|| upstream.open_connections() == 0 && alive_tasks() <= before + sweepers).await {
        let (open, tasks) = (upstream.open_connections(), alive_tasks());
        wrong.push(format!("{fault:?}: {open} connections and {tasks} tasks are left, of {before}"));
    }
    (seen, wrong)
}

/// Asks all visitors at the same time.
async fn all(visitors: &[Arc<Visitor>]) -> Vec<Seen> {
    let asking = visitors.iter().map(|visitor| {
        let visitor = Arc::clone(visitor);
        tokio::spawn(async move { visitor.ask().await })
    });
    let mut seen = Vec::new();
    for asking in asking.collect::<Vec<_>>() {
        seen.push(asking.await.unwrap());
    }
    seen
}

/// The first response of each visitor after the fault that does not come from an open circuit or a full queue.
async fn all_recovered(visitors: &[Arc<Visitor>]) -> Vec<Seen> {
    let mut recovered = Vec::new();
    for visitor in visitors {
        let began = Instant::now();
        recovered.push(loop {
            let seen = visitor.ask().await;
            let waits = matches!(&seen.outcome, Outcome::Trouble(code) if INSTEAD.contains(&code.as_str()));
            if !waits || began.elapsed() > RECOVERS {
                break seen;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        });
    }
    recovered
}

fn is_healthy(caller: Caller, seen: &Seen) -> bool {
    match caller {
        Caller::SignIn => seen.status == 302 && seen.headers.contains_key("set-cookie"),
        Caller::Providers | Caller::Session => {
            seen.status == 200 && matches!(seen.outcome, Outcome::Passed(20..))
        }
        _ => seen.outcome == Outcome::Present,
    }
}

/// Details of some faults: forwarded headers and sizes.
fn details(fault: Fault, visitors: &[Arc<Visitor>], seen: &[Seen]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (visitor, seen) in visitors.iter().zip(seen) {
        let proxied = !visitor.caller.looks_up();
        // The proxy reads a session before it forwards it.
        let streamed = proxied && visitor.caller != Caller::Session;
        let holds = match fault {
            // Forwarded without decompression.
            Fault::GzipBomb if streamed => {
                seen.header("content-encoding") == "gzip" && seen.outcome == Outcome::Passed(130_021)
            }
            Fault::HugeJson if streamed => matches!(seen.outcome, Outcome::Passed(100_000_000..)),
            Fault::Overloaded => seen.header("retry-after") == "7",
            // The location is rewritten to this app.
            Fault::RedirectLoop if proxied => seen.header("location").starts_with("/api/auth/"),
            Fault::HugeHeader if proxied => seen.header("x-huge").len() == 64 * 1024,
            _ => true,
        };
        if !holds {
            wrong.push(format!("{fault:?}: {:?}: {:?} {}", visitor.caller, seen.outcome, seen.status));
        }
    }
    wrong
}

fn row(fault: Fault, seen: &[Seen]) -> String {
    let mut row = format!("| {fault:?} |");
    for Seen { outcome, status, took, .. } in seen {
        let what = match outcome {
            Outcome::Present => "present".to_owned(),
            Outcome::Trouble(code) => code.clone(),
            Outcome::Passed(length) => format!("passed, {length} B"),
            Outcome::Broken(length) => format!("broken off, {length} B"),
            other => format!("{other:?}"),
        };
        write!(row, " {status} {what}, {} ms |", took.as_millis()).unwrap();
    }
    row + "\n"
}

fn write_table(table: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/output");
    std::fs::create_dir_all(folder).unwrap();
    let name = if is_robo() { "faults-robo.md" } else { "faults.md" };
    std::fs::write(format!("{folder}/{name}"), table).unwrap();
}
