//! The compile errors that people see, one idea a case. Refresh them with `TRYBUILD=overwrite` on the
//! toolchain that rust-toolchain.toml pins, and read every one.

#[test]
fn compile_errors() {
    let cases = trybuild::TestCases::new();
    for room in ["config", "require_session", "extractors"] {
        cases.compile_fail(format!("ui/{room}/fail/*.rs"));
    }
    for room in ["config", "require_session"] {
        cases.pass(format!("ui/{room}/pass/*.rs"));
    }
}
