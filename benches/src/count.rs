//! Runs a token operation N times for callgrind, whose instruction counts do not depend on the load of the machine.
//! callgrind counts only inside of [`counted`]: the setup gathers entropy, so its number of instructions varies.

use std::hint::black_box;

use crate::{Error, tokens};

/// The number of distinct tokens. Cold decoding uses each token once.
pub const MOST: usize = 512;

/// Runs an operation.
///
/// # Errors
/// If the operation is unknown, or `times` is more than [`MOST`].
pub fn run(what: &str, times: usize) -> Result<(), Error> {
    if times > MOST {
        return Err(format!("at most {MOST} times").into());
    }
    let auth = tokens::auth(64)?;
    let (opener, raw) = (tokens::opener()?, tokens::Raw::new()?);
    let pool: Vec<String> = (0..MOST).map(tokens::token).collect();
    let apart = pool.iter().map(|token| tokens::RawToken::new(token)).collect::<Result<Vec<_>, _>>()?;
    let headers = pool.iter().map(|token| tokens::headers(token)).collect::<Result<Vec<_>, _>>()?;
    let same = headers.last().ok_or("no token")?;
    let mut buffer = Vec::with_capacity(1024);
    // Lazy initialisation must not be counted.
    black_box(tokens::decode(&auth, same)?);
    black_box(pool.last().and_then(|token| opener.claims(token)));
    black_box(raw.open(apart.last().ok_or("no token")?, &mut buffer)?);
    match what {
        "decode-cold" => counted(|| {
            headers.iter().take(times).try_for_each(|headers| tokens::decode(&auth, headers).map(hide))
        }),
        "decode-warm" => {
            counted(|| (0..times).try_for_each(|_| tokens::decode(&auth, black_box(same)).map(hide)))
        }
        "open-cold" => counted(|| {
            let opened = |token: &String| opener.claims(token).map(hide).ok_or_else(|| "no token".into());
            pool.iter().take(times).try_for_each(opened)
        }),
        "raw-crypto" => {
            counted(|| apart.iter().take(times).try_for_each(|token| raw.open(token, &mut buffer).map(hide)))
        }
        _ => Err(format!("cannot count `{what}`").into()),
    }
}

/// `measure/token.rs` and `measure/process.rs` tell callgrind the name of this function.
#[inline(never)]
pub(crate) fn counted(what: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    what()
}

/// Keeps a result from being optimised away.
fn hide<T>(result: T) {
    black_box(result);
}
