//! Measures what the spans and events cost while no subscriber wants them: the same operations in this program, and in
//! one that is built without them.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use auth_proxy::testing::FakeUpstream;

use super::{is_quick, median};
use crate::report::{Row, Target, figure};
use crate::stats::Estimate;
use crate::{Error, tokens};

/// The operations that a child measures, in the order of its output.
const OPERATIONS: [&str; 2] = ["claims of a token, warm", "session in memory"];

/// `SILENT_BENCH` names the program that is built with the feature `silent`.
pub(super) fn run() -> Result<(), Error> {
    let silent = std::env::var("SILENT_BENCH")?;
    let with_spans = std::env::current_exe()?;
    let rounds = if is_quick() { 1 } else { 9 };
    let (mut with, mut without) = (vec![Vec::new(); OPERATIONS.len()], vec![Vec::new(); OPERATIONS.len()]);
    for _ in 0..rounds {
        for (program, turns) in [(with_spans.as_os_str(), &mut with), (silent.as_ref(), &mut without)] {
            let output = Command::new(program).arg("spans").output()?;
            let text = String::from_utf8(output.stdout)?;
            let nanos = text.lines().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
            if nanos.len() != turns.len() {
                return Err(String::from_utf8_lossy(&output.stderr).into());
            }
            turns.iter_mut().zip(nanos).for_each(|(turns, nanos)| turns.push(nanos));
        }
    }
    for (what, (with, without)) in OPERATIONS.iter().zip(with.into_iter().zip(without)) {
        let times = Estimate::of_ratios(&with, &without);
        let (with, without) = (median(with), median(without));
        figure("spans", what, &format!("{with:.0} ns, without spans {without:.0} ns"))?;
        let ratio = format!("time, {what}, spans without a subscriber / no spans");
        Row::new("spans", &ratio, times, "x", Target::None).write()?;
    }
    Ok(())
}

/// Prints the nanoseconds of each of [`OPERATIONS`] in this program.
///
/// # Errors
/// If an operation fails.
#[expect(clippy::print_stdout, reason = "the figures are the output of this program")]
pub fn child() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let upstream = FakeUpstream::start().await?;
        let builder = tokens::Auth::builder().upstream_base_url(upstream.url());
        let auth =
            builder.upstream_secret([upstream.secret()]).session_cache(Duration::from_secs(3600)).build()?;
        let mut headers = http::HeaderMap::new();
        let cookie = upstream.cookie(&serde_json::json!({ "sub": "1", "name": "Ada" }));
        headers.insert(http::header::COOKIE, cookie.parse()?);
        let (token, session) = (auth.token(&headers).await?, auth.session(&headers).await?);
        if token.is_none() || session.is_none() || upstream.lookups() != 1 {
            return Err("the visitor is not signed in".into());
        }
        println!("{}", nanos(async || auth.token(black_box(&headers)).await.map(|_| ())).await?);
        println!("{}", nanos(async || auth.session(black_box(&headers)).await.map(|_| ())).await?);
        if upstream.lookups() != 1 {
            return Err("the session was not in memory".into());
        }
        Ok(())
    })
}

/// The nanoseconds of one call: the median of many batches.
async fn nanos<E: Into<Error>>(mut call: impl AsyncFnMut() -> Result<(), E>) -> Result<f64, Error> {
    const BATCH: u32 = 2_000;
    let batches = if is_quick() { 20 } else { 400 };
    let mut turns = Vec::new();
    for _ in 0..batches {
        let start = Instant::now();
        for _ in 0..BATCH {
            call().await.map_err(Into::into)?;
        }
        turns.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH));
    }
    Ok(median(turns))
}
