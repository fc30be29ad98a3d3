//! The files of the page of the guide, as they are there, apart from the ports.

use std::path::Path;
use std::process::Command;

use auth_proxy_tests::process::{Process, authjs};
use auth_proxy_tests::{Browser, free_port, watch};

use crate::support::{Running, SECRET, file};

/// Runs a script in a folder that has the npm packages of the tests.
fn script(name: &str, text: &str, port: u16) -> Process {
    watch::start();
    watch::secret(SECRET);
    let script = file(name, text);
    let packages = script.with_file_name("node_modules");
    std::os::unix::fs::symlink(authjs().join("node_modules"), packages).unwrap();
    let mut command = Command::new("node");
    command.arg(&script).env("PORT", port.to_string()).env("AUTH_SECRET", SECRET).env_remove("HOST");
    Process::start(&mut command)
}

#[tokio::test]
async fn files_of_the_guide_work_together() {
    let deploy = |name: &str| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
    };
    let (login, app) = (free_port(), free_port());
    let _login = script("login.mjs", &deploy("login.mjs"), login);
    let _app = script("app.mjs", &deploy("app.mjs"), app);
    let config = deploy("gateway.toml")
        .replace("127.0.0.1:8080", "127.0.0.1:0")
        .replace("127.0.0.1:9090", "127.0.0.1:0")
        .replace("localhost:3001", &format!("localhost:{login}"))
        .replace("127.0.0.1:3000", &format!("127.0.0.1:{app}"));
    let gateway = Running::start(&config);
    let guest = gateway.browser();
    let page = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];
    let sent = guest.get_with("/", &page).await;
    assert_eq!(sent.header("location"), "/api/auth/signin?callbackUrl=%2F");
    let form = guest.get("/api/auth/signin?callbackUrl=%2F").await;
    assert!(form.status == 200 && form.body.contains("Password"), "{form:?}");
    assert_eq!(guest.get("/public/x").await.body, "<h1>/public/x</h1><p>hello, guest</p>");
    let signed_in = async |name: &str| -> Browser { gateway.signed_in(name).await };
    let (demo, admin) = (signed_in("demo").await, signed_in("admin").await);
    assert_eq!(demo.get("/").await.body, "<h1>/</h1><p>hello, Demo</p>");
    assert_eq!(demo.get("/admin/").await.status, 403);
    assert_eq!(admin.get("/admin/").await.body, "<h1>/admin/</h1><p>hello, Admin</p>");
}
