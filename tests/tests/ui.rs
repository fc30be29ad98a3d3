//! Compile errors of the macros, compared with the `.stderr` file of each case. `TRYBUILD=overwrite` writes the files
//! again: use the toolchain of rust-toolchain.toml, and read every change.

use std::fs;
use std::path::Path;

#[test]
fn compile_errors_match_the_expected_output() {
    let cases = trybuild::TestCases::new();
    for folder in ["config", "require_session", "extractors"] {
        cases.compile_fail(format!("ui/{folder}/fail/*.rs"));
    }
    for folder in ["config", "require_session", "extractors"] {
        cases.pass(format!("ui/{folder}/pass/*.rs"));
    }
}

/// A macro that rewrites a pasted configuration promises that the result compiles.
#[test]
fn rewritten_blocks_compile() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rewritten");
    fs::create_dir_all(&folder).unwrap();
    let cases = trybuild::TestCases::new();
    let mut count = 0;
    for entry in fs::read_dir("ui/config/fail").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "stderr") {
            continue;
        }
        for block in rewritten_blocks(&fs::read_to_string(&path).unwrap()) {
            count += 1;
            let program = folder.join(format!("{}_{count}.rs", path.file_stem().unwrap().to_str().unwrap()));
            let types = "#[derive(Clone, serde::Deserialize)]\npub struct AppUser;\n";
            fs::write(
                &program,
                format!("auth_proxy::auth_proxy! {{\n{block}}}\n\n{types}\nfn main() {{}}\n"),
            )
            .unwrap();
            cases.pass(program);
        }
    }
    assert!(count >= 5, "only {count} blocks were found");
}

/// The blocks in the messages: the lines between `ready to paste:` and the place of the error.
fn rewritten_blocks(messages: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut rest = messages;
    while let Some((_, after)) = rest.split_once("ready to paste:\n") {
        let (block, next) = after.split_once("--> ").unwrap();
        blocks.push(block.trim_end().to_owned() + "\n");
        rest = next;
    }
    blocks
}
