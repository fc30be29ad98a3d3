//! Measures how the time and the memory of lookups grow with the number of verified tokens.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use http::HeaderMap;
use http::header::COOKIE;

use super::{Effort, is_quick, own_memory};
use crate::report::{Row, Target, figure};
use crate::stats::Estimate;
use crate::{Error, tokens};

/// How many lookups are timed, each of another token if there are so many.
const LOOKUPS: usize = 100_000;

/// The headers of a batch are made right before it, and fit into the second-level cache of a processor. So a measurement with
/// many tokens differs from one with few in the memory of the proxy alone.
const BATCH: usize = 100;

pub(super) fn run() -> Result<(), Error> {
    let sizes: &[usize] =
        if is_quick() { &[1, 1000] } else { &[1, 10, 100, 1000, 10_000, 100_000, 1_000_000] };
    let mut turns = vec![[Vec::new(), Vec::new(), Vec::new()]; sizes.len()];
    for _ in 0..Effort::usual().rounds.min(3) {
        for (size, turns) in sizes.iter().zip(&mut turns) {
            let figures = measure_in_new_process(*size)?;
            turns.iter_mut().zip(figures).for_each(|(turns, figure)| turns.push(figure));
        }
    }
    for (size, turns) in sizes.iter().zip(&turns) {
        let [nanos, headers, bytes] = turns.clone().map(Estimate::of);
        let figures =
            format!("{nanos} ns a lookup, {headers} ns to read its headers alone, {bytes} bytes each");
        figure("growth", &format!("{size} tokens"), &figures)?;
    }
    if let [[one, one_headers, _], .., [most, most_headers, bytes]] = turns.as_slice() {
        let size = sizes.last().copied().unwrap_or_default();
        let row =
            |what: &str, value: Estimate, unit| Row::new("growth", what, value, unit, Target::None).write();
        row(&format!("time of a lookup, {size} tokens / 1"), Estimate::of_ratios(most, one), "x")?;
        row("the same, time to read the headers alone", Estimate::of_ratios(most_headers, one_headers), "x")?;
        row(&format!("bytes for each of {size} tokens"), Estimate::of(bytes.clone()), "")?;
    }
    Ok(())
}

/// Nanoseconds of a lookup, nanoseconds to read its headers alone, and bytes that each token added, measured in a new process.
fn measure_in_new_process(tokens: usize) -> Result<[f64; 3], Error> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.args(["growth", &tokens.to_string()]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let figures = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    <[f64; 3]>::try_from(figures).map_err(|_| String::from_utf8_lossy(&output.stderr).into())
}

/// Measures the lookups in the process that [`measure_in_new_process`] starts, and prints the figures.
///
/// # Errors
/// When a token is refused.
#[expect(clippy::print_stdout, reason = "its answer")]
pub fn child(tokens: usize) -> Result<(), Error> {
    // The cache has places for all tokens, so none is decoded twice. Its parts do not fill evenly.
    let auth = tokens::auth(u32::try_from(tokens + tokens / 5 + 1000)?)?;
    let sample: Vec<String> = (0..tokens.min(LOOKUPS)).map(tokens::token).collect();
    tokens::decode(&auth, &tokens::headers(&tokens::token(usize::MAX))?)?;
    let before = own_memory()?;
    for n in 0..tokens {
        let headers = match sample.get(n) {
            Some(token) => tokens::headers(token)?,
            None => tokens::headers(&tokens::token(n))?,
        };
        black_box(tokens::decode(&auth, &headers)?);
    }
    let kib = own_memory()? - before;
    let nanos = nanos(&sample, |headers| tokens::decode(&auth, headers).map(|token| drop(black_box(token))))?;
    let headers = self::nanos(&sample, |headers| {
        black_box(headers.get(COOKIE).map(|cookie| cookie.as_bytes().iter().fold(0, |a, b| a ^ b)));
        Ok(())
    })?;
    println!("{nanos} {headers} {}", kib * 1024.0 / f64::from(u32::try_from(tokens)?));
    Ok(())
}

/// The mean nanoseconds of a call for each of the tokens.
fn nanos(sample: &[String], call: impl Fn(&HeaderMap) -> Result<(), Error>) -> Result<f64, Error> {
    let mut spent = Duration::ZERO;
    let mut tokens = sample.iter().cycle();
    for _ in 0..LOOKUPS / BATCH {
        let batch = tokens.by_ref().take(BATCH).map(|token| tokens::headers(token));
        let batch = batch.collect::<Result<Vec<_>, _>>()?;
        let start = Instant::now();
        for headers in &batch {
            call(black_box(headers))?;
        }
        spent += start.elapsed();
    }
    Ok(spent.as_secs_f64() * 1e9 / f64::from(u32::try_from(LOOKUPS)?))
}
