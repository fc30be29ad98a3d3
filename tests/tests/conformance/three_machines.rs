//! The example `three-machines`: three processes with one Redis, alone, and behind nginx with Chromium.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth_proxy::options::SessionStrategy;
use auth_proxy::testing::FakeUpstream;
use auth_proxy_tests::chromium::{output, output_of};
use auth_proxy_tests::process::{self, Process, example};
use auth_proxy_tests::redis::Server;
use auth_proxy_tests::{App, Browser, free_port};
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::post;

/// Longer than an instance takes to trust a new connection to Redis.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Three instances, their Redis and their login server.
struct Machines {
    login: FakeUpstream,
    redis: Server,
    instances: Vec<(String, Process)>,
}

impl Machines {
    async fn start() -> Self {
        let login = FakeUpstream::builder().strategy(SessionStrategy::Database).start().await.unwrap();
        let redis = Server::start();
        let instances = (0..3).map(|_| instance(login.url(), &redis.url())).collect();
        let machines = Self { login, redis, instances };
        machines.wait_until_all_share().await;
        machines
    }

    fn origin(&self, n: usize) -> &str {
        &self.instances[n].0
    }

    /// A visitor who has just signed in at the first instance, and the session cookie.
    async fn visitor(&self) -> (Browser, String) {
        let browser = Browser::at(self.origin(0));
        let answer = browser.sign_in("demo", "demo").await;
        let cookie = answer.cookies().into_iter().find(|cookie| cookie.starts_with("authjs.session-token="));
        let cookie = cookie.expect("a session cookie").split(';').next().unwrap().to_owned();
        (browser, cookie)
    }

    /// What each instance answers, and how many times the login server was asked.
    async fn ask_all(&self, cookie: &str) -> (Vec<u16>, usize) {
        let (before, mut answers) = (self.login.lookups(), Vec::new());
        for (origin, _) in &self.instances {
            // The load balancer passes on the host that the browser asked for. A cached session counts for one host.
            // There is no cookie jar: a thief keeps the cookie after the sign-out.
            let headers = [("cookie", cookie), ("host", "app.test")];
            answers.push(Browser::at(origin).get_with("/me", &headers).await.status);
        }
        (answers, self.login.lookups() - before)
    }

    /// Asks all instances until the login server is asked this many times in a round.
    async fn wait_for_lookups(&self, cookie: &str, lookups: usize) {
        let until = Instant::now() + TIMEOUT;
        loop {
            let found = self.ask_all(cookie).await;
            if found == (vec![200; 3], lookups) {
                return;
            }
            assert!(Instant::now() < until, "{lookups} lookups are expected: {found:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// An instance uses its cache only while it hears the sign-outs of others.
    async fn wait_until_all_share(&self) {
        let (_, cookie) = self.visitor().await;
        self.wait_for_lookups(&cookie, 0).await;
    }
}

fn instance(login: &str, redis: &str) -> (String, Process) {
    let mut program = example("three-machines");
    let program = Process::start(program.env("AUTH_UPSTREAM_URL", login).env("REDIS_URL", redis));
    (program.first_line.clone(), program)
}

async fn sign_out_at(browser: &Browser, origin: &str) {
    let csrf = browser.csrf().await;
    let answer = browser.post(&format!("{origin}/api/auth/signout"), &[("csrfToken", &csrf)]).await;
    assert_eq!(answer.status, 302, "{answer:?}");
}

#[tokio::test]
async fn three_processes_share_sessions_and_sign_outs_and_survive_redis() {
    let mut machines = Machines::start().await;
    let (browser, cookie) = machines.visitor().await;
    assert_eq!(machines.ask_all(&cookie).await, (vec![200; 3], 1), "one lookup serves all three");
    assert_eq!(machines.ask_all(&cookie).await, (vec![200; 3], 0));
    sign_out_at(&browser, machines.origin(1)).await;
    assert_eq!(machines.ask_all(&cookie).await.0, [401; 3]);

    let (browser, second) = machines.visitor().await;
    assert_eq!(machines.ask_all(&second).await, (vec![200; 3], 1));
    machines.redis.kill();
    // As without a store and without a cache: each request asks the login server.
    machines.wait_for_lookups(&second, 3).await;
    sign_out_at(&browser, machines.origin(2)).await;
    for cookie in [&cookie, &second] {
        assert_eq!(machines.ask_all(cookie).await.0, [401; 3]);
    }

    machines.redis.restart();
    machines.wait_until_all_share().await;
    for cookie in [&cookie, &second] {
        assert_eq!(machines.ask_all(cookie).await.0, [401; 3]);
    }
}

/// nginx with the configuration of the example, for other ports.
fn nginx(ports: &[String]) -> (String, Process) {
    let port = free_port();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("three-machines-{port}"));
    let mut configuration = include_str!("../../../examples/three-machines/nginx.conf")
        .replace("127.0.0.1:3000", &format!("127.0.0.1:{port}"));
    for (name, port) in ["127.0.0.1:3001", "127.0.0.1:3002", "127.0.0.1:3003"].iter().zip(ports) {
        assert!(configuration.contains(name));
        configuration = configuration.replace(name, &format!("127.0.0.1:{port}"));
    }
    (format!("http://127.0.0.1:{port}"), process::nginx(&folder, &configuration, port))
}

/// Kills an instance by its port, or Redis.
fn control(machines: Arc<Mutex<Machines>>) -> Router {
    let kill = async move |Path(what): Path<String>| {
        let mut machines = machines.lock().unwrap();
        if what == "redis" {
            machines.redis.kill();
            return StatusCode::NO_CONTENT;
        }
        let before = machines.instances.len();
        machines.instances.retain(|(origin, _)| !origin.ends_with(&format!(":{what}")));
        if machines.instances.len() < before { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
    };
    Router::new().route("/kill/{what}", post(kill))
}

/// Two tabs at different instances: a sign-out in one closes the event stream and the WebSocket of the other within a
/// second. Neither a killed instance nor a killed Redis signs anyone out.
#[tokio::test]
async fn sign_out_in_one_tab_closes_the_streams_of_the_other() {
    let machines = Machines::start().await;
    let ports: Vec<_> =
        machines.instances.iter().map(|(origin, _)| origin.rsplit(':').next().unwrap().to_owned()).collect();
    let (app, _nginx) = nginx(&ports);
    let control = App::start(control(Arc::new(Mutex::new(machines)))).await;
    let vars = vec![
        ("APP", app),
        ("PORTS", ports.join(" ")),
        ("CONTROL", control.url("")),
        ("OUTPUT", output("three-machines")),
    ];
    let printed = output_of("three-machines.mjs", vars).await;
    println!("{printed}");
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    assert!(lines[2].ends_with("nobody was signed out"), "{printed}");
}

/// The commands of the README: a fake login server, and an instance that uses it.
#[tokio::test]
async fn fake_login_server_of_three_machines_signs_in() {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "-p", "three-machines", "--example", "login"]);
    let login = Process::start(command.current_dir(env!("CARGO_MANIFEST_DIR")));
    let url = login.first_line.strip_prefix("AUTH_UPSTREAM_URL=").expect("a variable to copy");
    let redis = Server::start();
    let (origin, _instance) = instance(url, &redis.url());
    let browser = Browser::at(&origin);
    browser.sign_in("demo", "demo").await;
    assert_eq!(browser.get("/me").await.json()["user"]["name"], "Demo");
    // A page of another origin gets no WebSocket with the visitor's cookie.
    let handshake = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ];
    for (from, status) in [("https://evil.example", 403), (origin.as_str(), 101)] {
        let headers: Vec<_> = handshake.into_iter().chain([("origin", from)]).collect();
        assert_eq!(browser.get_with("/socket", &headers).await.status, status, "{from}");
    }
}
