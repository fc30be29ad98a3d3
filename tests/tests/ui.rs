//! Compile errors of the macros, compared with the `.stderr` file of each case. `TRYBUILD=overwrite` writes the files
//! again: use the toolchain of rust-toolchain.toml, and read every change.

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
