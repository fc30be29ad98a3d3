//! Measures the decoding of tokens with criterion, and the bare cryptography for comparison.

use std::hint::black_box;

use auth_proxy_benches::{Error, cookie_caches, published, tokens};
use criterion::Criterion;

/// The number of distinct tokens for cold decoding, more than the cache holds.
const POOL: usize = 4096;

fn main() -> Result<(), Error> {
    // The cache of the cold side holds 64 tokens, so each token is evicted before it is used again.
    let (cold, warm) = (tokens::auth(64)?, tokens::auth(64)?);
    let (opener, raw) = (tokens::opener()?, tokens::Raw::new()?);
    let pool: Vec<String> = (0..POOL).map(tokens::token).collect();
    let apart = pool.iter().map(|token| tokens::RawToken::new(token)).collect::<Result<Vec<_>, _>>()?;
    let headers = pool.iter().map(|token| tokens::headers(token)).collect::<Result<Vec<_>, _>>()?;
    let same = headers.first().ok_or("no token")?;
    let mut buffer = Vec::with_capacity(1024);

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("token");
    let mut next = headers.iter().cycle();
    group.bench_function("decode_cold", |b| {
        b.iter(|| next.next().map(|headers| tokens::decode(&cold, black_box(headers))));
    });
    group.bench_function("decode_warm", |b| b.iter(|| tokens::decode(&warm, black_box(same))));
    let mut next = pool.iter().cycle();
    group.bench_function("open_cold", |b| {
        b.iter(|| next.next().map(|token| opener.claims(black_box(token))));
    });
    let mut next = apart.iter().cycle();
    group.bench_function("raw_crypto", |b| {
        b.iter(|| next.next().map(|token| raw.open(black_box(token), &mut buffer)));
    });
    for (name, form) in cookie_caches::FORMS {
        let (auth, headers) = (cookie_caches::auth(form)?, cookie_caches::headers(form)?);
        // A cache that is refused would be measured as a failed lookup.
        cookie_caches::session(&auth, &headers)?;
        group.bench_function(name, |b| b.iter(|| cookie_caches::session(&auth, black_box(&headers))));
    }
    let issuer = published::Issuer::new()?;
    let headers = (0..POOL).map(|n| issuer.headers(n)).collect::<Result<Vec<_>, _>>()?;
    let same = headers.first().ok_or("no token")?;
    let (cold, warm) = (issuer.machines(64, same)?, issuer.machines(64, same)?);
    let mut next = headers.iter().cycle();
    group.bench_function("published_cold", |b| {
        b.iter(|| next.next().map(|headers| published::verify(&cold, black_box(headers))));
    });
    group.bench_function("published_warm", |b| b.iter(|| published::verify(&warm, black_box(same))));
    group.finish();
    criterion.final_summary();
    Ok(())
}
