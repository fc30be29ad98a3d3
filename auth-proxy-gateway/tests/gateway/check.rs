//! `--check`, the command line, and a start with mistakes.

use crate::support::{command, file, run};

#[test]
fn check_prints_each_mistake_with_its_place() {
    let file = file(
        "gateway.toml",
        "listen = \"0.0.0.0\"\n[upstream]\nbase_ulr = \"http://auth.internal\"\nsecret = \"${NO_SUCH_SECRET}\"\n[app]\nurl = \"localhost:3000\"\n",
    );
    let name = file.display();
    let expected = format!(
        "{name}:1:10: expected an address with a port, such as `\"127.0.0.1:8080\"` or `\"[::]:8080\"`\n\
         {name}:3:1: there is no option `base_ulr` in `[upstream]`: write `base_url`\n\
         {name}:4:10: the environment variable `NO_SUCH_SECRET` is not set\n\
         {name}:6:7: `app.url`: the scheme is missing: write `url = \"http://127.0.0.1:3000\"`\n"
    );
    let (code, stdout, stderr) = run(command().arg("--check").arg("--config").arg(&file));
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(1), expected.as_str(), ""));
    // The same lines when it is to run.
    let (code, stdout, stderr) = run(command().arg("--config").arg(&file));
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(1), "", expected.as_str()));
}

#[test]
fn check_of_a_right_file_ends_with_zero_and_shows_warnings() {
    let right =
        file("gateway.toml", "listen = \"127.0.0.1:0\"\n[upstream]\nbase_url = \"http://auth.internal\"\n");
    let (code, stdout, _) = run(command().arg("--check").arg("--config").arg(&right));
    assert_eq!((code, stdout), (Some(0), format!("{}: no mistakes\n", right.display())));
    let odd = file(
        "gateway.toml",
        "listen = \"127.0.0.1:0\"\npublic_url = \"http://app.example.com\"\n[upstream]\nbase_url = \"http://auth.internal\"\n",
    );
    let (code, stdout, _) = run(command().arg("--check").arg("--config").arg(&odd));
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with(&format!("{}:2:14: warning: over plain http", odd.display())), "{stdout}");
}

#[test]
fn wrong_command_lines_end_with_two_and_the_usage() {
    for (arguments, message) in [
        (&[][..], "the file is missing: write `--config gateway.toml`"),
        (&["--conifg", "x"], "invalid option '--conifg'"),
    ] {
        let (code, stdout, stderr) = run(command().args(arguments));
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert!(stderr.starts_with(&format!("auth-proxy-gateway: {message}\n\nusage: ")), "{stderr}");
    }
    let (code, stdout, _) = run(command().arg("--version"));
    assert_eq!((code, stdout), (Some(0), format!("auth-proxy-gateway {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn unreadable_file_is_reported() {
    let (code, _, stderr) = run(command().args(["--config", "/nowhere/gateway.toml"]));
    assert_eq!(code, Some(1));
    assert_eq!(
        stderr,
        "/nowhere/gateway.toml:1:1: cannot read the file: No such file or directory (os error 2)\n"
    );
}

/// The log reports a port in use, since the file itself is right.
#[test]
fn address_in_use_is_reported() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let file = file(
        "gateway.toml",
        &format!("listen = \"{address}\"\n[upstream]\nbase_url = \"http://auth.internal\"\n"),
    );
    let (code, _, stderr) = run(command().arg("--config").arg(&file));
    assert_eq!(code, Some(1));
    assert!(stderr.contains(&format!("`listen`: cannot listen on {address}: ")), "{stderr}");
}
