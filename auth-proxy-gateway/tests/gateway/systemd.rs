//! What systemd is told (sd_notify(3)), and the unit file.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{command, file};

#[test]
fn systemd_is_told_when_the_gateway_is_ready_reloads_and_stops() {
    let file = file(
        "gateway.toml",
        "listen = \"127.0.0.1:0\"\n[upstream]\nbase_url = \"http://auth.internal\"\n[log]\nlevel = \"error\"\n",
    );
    let socket = file.with_file_name("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let next = || {
        let mut message = [0; 256];
        let length = systemd.recv(&mut message).expect("a message");
        String::from_utf8_lossy(&message[..length]).trim().to_owned()
    };
    let mut child = command()
        .arg("--config")
        .arg(&file)
        .env("NOTIFY_SOCKET", &socket)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(next(), "READY=1");
    let signal = |signal: &str| {
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    };
    signal("-HUP");
    assert!(next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(next(), "READY=1");
    signal("-TERM");
    assert_eq!(next(), "STOPPING=1");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// systemd itself checks the unit file. Without `systemd-analyze` nothing is checked, and `tests/run.sh` lists that.
#[test]
fn unit_file_is_accepted_by_systemd() {
    let unit = include_str!("../../deploy/auth-proxy-gateway.service");
    let own = env!("CARGO_BIN_EXE_auth-proxy-gateway");
    let unit = file("auth-proxy-gateway.service", &unit.replace("/usr/local/bin/auth-proxy-gateway", own));
    let Ok(output) = Command::new("systemd-analyze").arg("verify").arg(&unit).output() else { return };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let ours: Vec<&str> = text.lines().filter(|line| line.contains("auth-proxy-gateway.service")).collect();
    assert!(output.status.success() && ours.is_empty(), "{text}");
}
