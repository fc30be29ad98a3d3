//! `doctor`: what it finds with a real server, and its exit codes.

use crate::support::{app, authjs, command, config, file, run};

#[test]
fn right_deployment_is_found_right() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let file = file("gateway.toml", &config(&auth, &app, "", ""));
    let (code, stdout, stderr) = run(command().args(["doctor", "--config"]).arg(&file));
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let first = format!("app: {app} accepts connections\nupstream: {auth}/api/auth\nserver: Auth.js v5\n");
    assert!(stdout.starts_with(&first) && stdout.ends_with("\n\nok\n"), "{stdout}");
    let (code, stdout, _) = run(command().args(["doctor", "--json", "--config"]).arg(&file));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (code, &report["ok"], &report["sign_in"]["server"]),
        (Some(0), &true.into(), &"Auth.js v5".into())
    );
}

#[test]
fn wrong_secret_and_app_that_is_down_are_found() {
    let (_auth, auth) = authjs();
    let file = file("gateway.toml", &config(&auth, "http://127.0.0.1:9", "", "connect_timeout = \"500ms\""));
    let other = "another secret of the same length, or longer";
    let (code, stdout, stderr) =
        run(command().args(["doctor", "--config"]).arg(&file).env("AUTH_SECRET", other));
    assert_eq!((code, stderr.as_str()), (Some(1), ""), "{stdout}");
    assert!(stdout.contains("\nerror secret_wrong: "), "{stdout}");
    assert!(stdout.starts_with("error app_unreachable: the app cannot be reached\n"), "{stdout}");
    assert!(!stdout.contains(other), "{stdout}");
    // Only the app is wrong.
    let (code, stdout, _) = run(command().args(["doctor", "--config"]).arg(&file));
    assert!(stdout.starts_with("error app_unreachable: "), "{stdout}");
    assert!(code == Some(1) && !stdout.contains("\nok\n"), "{stdout}");
}

#[test]
fn mistakes_of_the_file_are_printed_and_nothing_is_asked() {
    let file = file("gateway.toml", "listen = \"x\"\n");
    let (code, stdout, stderr) = run(command().args(["doctor", "--config"]).arg(&file));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(
        stderr.starts_with(&format!("{}:1:1: `upstream.base_url` is missing", file.display())),
        "{stderr}"
    );
}
