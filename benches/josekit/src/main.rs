//! Measures josekit: reads tokens from standard input, one a line, decodes them repeatedly for `SECONDS` with the key
//! in `KEY` (hexadecimal), and prints the nanoseconds for one token.

use std::hint::black_box;
use std::time::{Duration, Instant};

use josekit::jwe::Dir;
use josekit::jwt::decode_with_decrypter;

type Error = Box<dyn std::error::Error>;

#[expect(clippy::print_stdout, reason = "its answer")]
fn main() -> Result<(), Error> {
    let text = std::env::var("KEY")?;
    let digits = (0..text.len()).step_by(2).map(|at| text.get(at..at + 2).unwrap_or_default());
    let key = digits.map(|byte| u8::from_str_radix(byte, 16)).collect::<Result<Vec<u8>, _>>()?;
    let decrypter = Dir.decrypter_from_bytes(key)?;
    let tokens = std::io::stdin().lines().collect::<Result<Vec<String>, _>>()?;
    let run = |time: Duration| -> Result<f64, Error> {
        let (start, mut count) = (Instant::now(), 0_u32);
        while start.elapsed() < time {
            for token in &tokens {
                black_box(decode_with_decrypter(black_box(token), &decrypter)?);
                count += 1;
            }
        }
        Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(count))
    };
    let seconds = Duration::from_secs_f64(std::env::var("SECONDS")?.parse()?);
    run(seconds / 4)?;
    println!("{}", run(seconds)?);
    Ok(())
}
