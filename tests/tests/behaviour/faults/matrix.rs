//! Runs every upstream fault with every caller, and writes the matrix of outcomes.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_proxy::testing::Fault;
use auth_proxy_tests::{alive_tasks, settles};

use super::caller::{Caller, Outcome, Seen, Visitor};
use super::expected::{ALTERNATIVE_CODES, expected_of, violations_of};
use super::family::Family;

/// `upstream.timeout` for faults that end by this timeout (`SHORT`), and for faults that must end earlier (`LONG`).
const SHORT: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(20);

/// The time limit for an open circuit to close after a fault.
const RECOVERY_TIME: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upstream_faults_sign_no_visitor_in_or_out() {
    check_faults(Family::Authjs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn better_auth_faults_sign_no_visitor_in_or_out() {
    check_faults(Family::BetterAuth).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn better_auth_faults_sign_no_visitor_with_an_expired_cache_in_or_out() {
    check_faults(Family::BetterAuthExpiredCache).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn better_auth_faults_do_not_concern_a_visitor_with_a_good_cache() {
    check_faults(Family::BetterAuthCache).await;
}

/// Runs the matrix of one configuration.
async fn check_faults(family: Family) {
    let only = std::env::var("FAULT").unwrap_or_default();
    let mut table = String::from("| fault |");
    for caller in Caller::ALL {
        write!(table, " {caller:?} |").unwrap();
    }
    table += &format!("\n|---|{}\n", "---|".repeat(Caller::ALL.len()));
    let base = alive_tasks();
    let mut violations = Vec::new();
    let faults = Fault::ALL.iter().filter(|fault| family.has(**fault));
    for fault in faults.filter(|fault| format!("{fault:?}").contains(&only)) {
        let (seen, mut found) = check_fault(family, *fault).await;
        table += &row(*fault, &seen);
        violations.append(&mut found);
    }
    println!("{table}");
    write_table(family, &table);
    // The task that closes idle connections ends last.
    if !settles(|| alive_tasks() <= base).await {
        violations.push(format!("{} tasks are still running, expected {base}", alive_tasks()));
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

/// Runs every caller against one fault: before it, during it, after it, and after the callers are dropped.
async fn check_fault(family: Family, fault: Fault) -> (Vec<Seen>, Vec<String>) {
    let expected = expected_of(family, fault);
    let limit = if expected.is_late() { SHORT } else { LONG };
    let upstream = family.upstream().start().await.unwrap();
    let before = alive_tasks();
    let mut visitors = Vec::new();
    for caller in Caller::ALL {
        visitors.push(Arc::new(Visitor::start(family, &upstream, caller, limit).await));
    }
    let healthy = all(&visitors).await;
    let mut violations = Vec::new();
    for (visitor, seen) in visitors.iter().zip(&healthy) {
        assert!(
            is_healthy(family, visitor.caller, seen),
            "{fault:?}, before: {:?}: {seen:?}",
            visitor.caller
        );
    }
    let lookups = upstream.lookups();
    upstream.set_fault(Some(fault)).await.unwrap();
    let seen = all(&visitors).await;
    if fault != Fault::Refused {
        // Otherwise the callers did not reach the faulty upstream.
        let lookups_at_least = lookups + if family == Family::BetterAuthCache { 1 } else { 5 };
        assert!(upstream.lookups() >= lookups_at_least, "{fault:?}: too few lookups");
    }
    for ((visitor, seen), healthy) in visitors.iter().zip(&seen).zip(&healthy) {
        let outcome = expected.of(visitor.caller);
        violations.extend(
            violations_of(visitor, seen, healthy, outcome, limit)
                .into_iter()
                .map(|violation| format!("{fault:?}: {violation}")),
        );
    }
    violations.extend(details(fault, &visitors, &seen));

    // A connection may stay open for reuse only if its response was complete.
    let is_reusable = |seen: &&Seen| !expected.is_late() || matches!(seen.outcome, Outcome::Forwarded(_));
    let max_open = seen.iter().filter(is_reusable).count();
    if !settles(|| upstream.open_connections() <= max_open).await {
        violations.push(format!(
            "{fault:?}: {} connections are open, expected at most {max_open}",
            upstream.open_connections()
        ));
    }

    upstream.set_fault(None).await.unwrap();
    for ((visitor, again), healthy) in visitors.iter().zip(all_recovered(&visitors).await).zip(&healthy) {
        if !is_healthy(family, visitor.caller, &again) || again.status != healthy.status {
            violations.push(format!("{fault:?}, afterwards: {:?}: {again:?}", visitor.caller));
        }
    }
    // Each app had one task that closes idle connections.
    let sweepers = visitors.len();
    drop(visitors);
    if !settles(|| upstream.open_connections() == 0 && alive_tasks() <= before + sweepers).await {
        let (open, tasks) = (upstream.open_connections(), alive_tasks());
        violations.push(format!(
            "{fault:?}: {open} connections and {tasks} tasks are left, expected {before} tasks"
        ));
    }
    (seen, violations)
}

/// Sends the requests of all visitors at the same time.
async fn all(visitors: &[Arc<Visitor>]) -> Vec<Seen> {
    let requests = visitors.iter().map(|visitor| {
        let visitor = Arc::clone(visitor);
        tokio::spawn(async move { visitor.send_request().await })
    });
    let mut seen = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        seen.push(request.await.unwrap());
    }
    seen
}

/// Repeats each visitor's request after the fault, until the circuit is closed and the queue has room.
async fn all_recovered(visitors: &[Arc<Visitor>]) -> Vec<Seen> {
    let mut recovered = Vec::new();
    for visitor in visitors {
        let began = Instant::now();
        recovered.push(loop {
            let seen = visitor.send_request().await;
            let must_wait =
                matches!(&seen.outcome, Outcome::Error(code) if ALTERNATIVE_CODES.contains(&code.as_str()));
            if !must_wait || began.elapsed() > RECOVERY_TIME {
                break seen;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        });
    }
    recovered
}

fn is_healthy(family: Family, caller: Caller, seen: &Seen) -> bool {
    let signed_in = if family.is_better_auth() { 200 } else { 302 };
    match caller {
        Caller::SignIn => seen.status == signed_in && seen.headers.contains_key("set-cookie"),
        Caller::Session => seen.status == 200 && matches!(seen.outcome, Outcome::Forwarded(20..)),
        // The shortest body is `{"ok":true}`.
        Caller::Providers => seen.status == 200 && matches!(seen.outcome, Outcome::Forwarded(11..)),
        _ => seen.outcome == Outcome::Present,
    }
}

/// Checks forwarded headers and body sizes, which depend on the fault.
fn details(fault: Fault, visitors: &[Arc<Visitor>], seen: &[Seen]) -> Vec<String> {
    let mut violations = Vec::new();
    for (visitor, seen) in visitors.iter().zip(seen) {
        let proxied = !visitor.caller.looks_up();
        // The proxy reads the whole body of a session before it forwards it.
        let streamed = proxied && visitor.caller != Caller::Session;
        let holds = match fault {
            // Forwarded without decompression.
            Fault::GzipBomb if streamed => {
                seen.header("content-encoding") == "gzip" && seen.outcome == Outcome::Forwarded(130_021)
            }
            Fault::HugeJson if streamed => matches!(seen.outcome, Outcome::Forwarded(100_000_000..)),
            Fault::Overloaded => seen.outcome == Outcome::Present || seen.header("retry-after") == "7",
            // The location is rewritten to this app.
            Fault::RedirectLoop if proxied => seen.header("location").starts_with("/api/auth/"),
            Fault::HugeHeader if proxied => seen.header("x-huge").len() == 64 * 1024,
            _ => true,
        };
        if !holds {
            violations.push(format!("{fault:?}: {:?}: {:?} {}", visitor.caller, seen.outcome, seen.status));
        }
    }
    violations
}

fn row(fault: Fault, seen: &[Seen]) -> String {
    let mut row = format!("| {fault:?} |");
    for Seen { outcome, status, took, .. } in seen {
        let text = match outcome {
            Outcome::Present => "present".to_owned(),
            Outcome::Error(code) => code.clone(),
            Outcome::Forwarded(length) => format!("forwarded, {length} B"),
            Outcome::CutOff(length) => format!("cut off, {length} B"),
            other => format!("{other:?}"),
        };
        write!(row, " {status} {text}, {} ms |", took.as_millis()).unwrap();
    }
    row + "\n"
}

fn write_table(family: Family, table: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/output");
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(format!("{folder}/{}.md", family.name()), table).unwrap();
}
