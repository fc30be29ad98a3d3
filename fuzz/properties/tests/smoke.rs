//! Runs every property on stable Rust, on the whole corpus and on deterministic mutations of it. `FUZZ_MUTATIONS` is
//! the number of mutations.

use std::path::{Path, PathBuf};

use auth_proxy_fuzz_properties::ALL;

#[test]
fn every_property_holds_for_the_corpus_and_its_mutations() {
    let mutations: usize = std::env::var("FUZZ_MUTATIONS").map_or(20_000, |number| number.parse().unwrap());
    for (name, property) in ALL {
        let corpus = corpus(name);
        assert!(corpus.len() >= 5, "{name} has no corpus");
        for (file, input) in &corpus {
            run(property, input, file);
        }
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for _ in 0..mutations {
            let input = mutated(&mut random, &corpus);
            run(property, &input, Path::new(name));
        }
        println!("{name}: {} of the corpus, {mutations} mutations", corpus.len());
    }
}

/// Runs a property and names the input for which it fails.
fn run(property: fn(&[u8]), input: &[u8], file: &Path) {
    let outcome = std::panic::catch_unwind(|| property(input));
    assert!(outcome.is_ok(), "{}: {}", file.display(), input.escape_ascii());
}

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}

/// A deterministic random number generator (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % end.max(1)
    }
}

/// Bytes with a special meaning for one of the parsers.
const BYTES: &[u8] = b"\0\t\r\n \"#%'(),-./0;:<=>?@[\\]_{|}\x7f\x80\xc0\xff";

fn mutated(random: &mut Random, corpus: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].1.clone();
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        match random.below(6) {
            0 => input.truncate(at),
            1 => input.insert(at, BYTES[random.below(BYTES.len())]),
            2 if at < input.len() => input[at] = BYTES[random.below(BYTES.len())],
            3 if at < input.len() => input[at] ^= 1 << random.below(8),
            4 if at < input.len() => drop(input.remove(at)),
            _ => {
                let other = &corpus[random.below(corpus.len())].1;
                let from = random.below(other.len() + 1);
                let part = &other[from..(from + random.below(40)).min(other.len())];
                input.splice(at..at, part.iter().copied());
            }
        }
    }
    input
}
