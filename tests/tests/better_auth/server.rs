//! A real Better Auth server, what it received, and what a test changes behind its back.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use auth_proxy_tests::process::{Process, node_in};
use auth_proxy_tests::{Answer, Browser, loopback_client, watch};
use serde_json::{Value, json};

pub(crate) const SECRET: &str = "the secret of a real Better Auth: long enough";

/// The tested versions of Better Auth.
pub(crate) const VERSIONS: [&str; 2] = ["1.7", "1.6"];

pub(crate) const PASSWORD: &str = "a password of a test";

/// The process that runs most servers. It ends with the tests, when its standard input is closed.
static HOST: LazyLock<Process> = LazyLock::new(|| Process::start(&mut command()));

pub(crate) struct BetterAuthServer {
    /// A process of its own.
    process: Option<Process>,
    url: String,
    control: String,
}

impl BetterAuthServer {
    /// Starts a server with these options, which `tests/better-auth/README.md` lists, in the process of all servers.
    pub(crate) fn start(options: Value) -> Self {
        let ports = post(HOST.port("host"), &with_secret(options).to_string());
        Self::at(None, |field| ports[field].as_u64().unwrap_or_else(|| panic!("did not start: {ports}")))
    }

    /// Starts a server in a process of its own, which ends with it.
    pub(crate) fn alone(options: Value) -> Self {
        Self::of(options, command().stderr(Stdio::null()))
    }

    /// Starts a server in a process of its own, with these variables, which logs into a file.
    pub(crate) fn alone_with(options: Value, vars: &[(&str, String)], log: &Path) -> Self {
        let mut command = command();
        Self::of(options, command.envs(vars.iter().cloned()).stderr(File::create(log).unwrap()))
    }

    fn of(options: Value, command: &mut Command) -> Self {
        let process = Process::start(command.env("OPTIONS", with_secret(options).to_string()));
        let ports: Value = serde_json::from_str(&process.first_line).unwrap();
        Self::at(Some(process), |field| ports[field].as_u64().unwrap())
    }

    fn at(process: Option<Process>, port: impl Fn(&str) -> u64) -> Self {
        watch::start();
        watch::secret(SECRET);
        watch::secret(PASSWORD);
        let url = |field| format!("http://127.0.0.1:{}", port(field));
        Self { process, url: url("port"), control: url("control") }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The URL of the control port.
    pub(crate) fn control(&self) -> &str {
        &self.control
    }

    async fn command(&self, name: &str, body: Value) -> Value {
        let url = format!("{}/{name}", self.control);
        loopback_client().post(url).json(&body).send().await.unwrap().json().await.unwrap()
    }

    /// The requests that the server received, in order: method, path, host, names of cookies, `x-forwarded-*` headers.
    pub(crate) async fn requests(&self) -> Vec<Value> {
        self.command("requests", json!({})).await.as_array().unwrap().clone()
    }

    /// How many requests had a path with this end.
    pub(crate) async fn count(&self, path: &str) -> usize {
        let requests = self.requests().await;
        requests.iter().filter(|request| request["path"].as_str().unwrap().ends_with(path)).count()
    }

    /// The mails that the server would have sent: `email` and `url`.
    pub(crate) async fn mails(&self) -> Vec<Value> {
        self.command("mails", json!({})).await.as_array().unwrap().clone()
    }

    /// The sessions in the database.
    pub(crate) async fn sessions(&self) -> Vec<Value> {
        self.command("sessions", json!({})).await.as_array().unwrap().clone()
    }

    /// Switches the database on or off. Every statement throws while it is off.
    pub(crate) async fn database(&self, up: bool) {
        self.command("database", json!({ "up": up })).await;
    }

    /// Deletes all sessions of this user.
    pub(crate) async fn revoke(&self, email: &str) {
        self.command("revoke", json!({ "email": email })).await;
    }

    /// Changes the role of this user. Needs the plugin `admin`.
    pub(crate) async fn role(&self, email: &str, role: &str) {
        self.command("role", json!({ "email": email, "role": role })).await;
    }

    /// Bans this user. Needs the plugin `admin`.
    pub(crate) async fn ban(&self, email: &str) {
        self.command("ban", json!({ "email": email })).await;
    }

    /// Breaks the connection of each request whose path ends like this, after its route has run.
    pub(crate) async fn hang_up(&self, path: &str) {
        self.command("hang_up", json!({ "path": path })).await;
    }

    /// Ends the process of this server.
    pub(crate) fn stop(&mut self) {
        self.process.take().expect("a process of its own");
    }

    /// Whether the process ends within five seconds.
    pub(crate) async fn ends(&mut self) -> bool {
        for _ in 0..50 {
            if !self.process.as_mut().expect("a process of its own").is_running() {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        false
    }
}

fn command() -> Command {
    let mut command = node_in("better-auth", "server.mjs");
    // These variables would change the options.
    for name in ["BETTER_AUTH_URL", "BETTER_AUTH_SECRET", "BETTER_AUTH_SECRETS", "AUTH_SECRET", "NODE_ENV"] {
        command.env_remove(name);
    }
    command.env_remove("OPTIONS");
    command
}

fn with_secret(mut options: Value) -> Value {
    let fields = options.as_object_mut().expect("an object of options");
    if !fields.contains_key("secrets") {
        fields.entry("secret").or_insert(json!(SECRET));
    }
    options
}

/// Posts JSON and waits for the answer, without a runtime.
fn post(port: u16, body: &str) -> Value {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    let head = format!("POST / HTTP/1.1\r\nHost: host\r\nConnection: close\r\nContent-Length: {length}");
    stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// A visitor of a server or an app, who sends requests as Better Auth's client does: JSON, and the `Origin` of the page.
pub(crate) struct Visitor {
    pub(crate) browser: Browser,
}

impl Visitor {
    pub(crate) fn at(origin: &str) -> Self {
        Self { browser: Browser::at(origin) }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.browser.get(path).await
    }

    /// Posts to a route of Better Auth, such as `/sign-out`.
    pub(crate) async fn post(&self, route: &str, body: Value) -> Answer {
        let path = format!("/api/auth{route}");
        self.browser.post_json_with(&path, &body, &[("origin", self.browser.origin())]).await
    }

    /// Creates the user `{name}@example.com`, who is then signed in.
    pub(crate) async fn sign_up(&self, name: &str) -> Answer {
        self.sign_up_with(name, json!({})).await
    }

    /// Creates a user with more fields.
    pub(crate) async fn sign_up_with(&self, name: &str, fields: Value) -> Answer {
        let mut body = json!({ "name": name, "email": email(name), "password": PASSWORD });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let answer = self.post("/sign-up/email", body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        watch::secret(answer.json()["token"].as_str().expect("a token"));
        answer
    }

    pub(crate) async fn sign_in(&self, name: &str) -> Answer {
        self.post("/sign-in/email", json!({ "email": email(name), "password": PASSWORD })).await
    }

    pub(crate) async fn sign_out(&self) -> Answer {
        self.post("/sign-out", json!({})).await
    }

    /// Asks the server for the session.
    pub(crate) async fn session(&self) -> Answer {
        self.get("/api/auth/get-session").await
    }

    /// Asks the server for the session with these cookies instead of the own ones.
    pub(crate) async fn session_with(&self, cookies: &str) -> Answer {
        self.browser.get_with("/api/auth/get-session", &[("cookie", cookies)]).await
    }
}

pub(crate) fn email(name: &str) -> String {
    format!("{name}@example.com")
}

/// The cookies that an answer sets, as `name=value`, without those that it clears.
pub(crate) fn pairs(answer: &Answer) -> Vec<String> {
    let pairs = answer.cookies().into_iter().map(|line| line.split(';').next().unwrap().to_owned());
    pairs.filter(|pair| !pair.ends_with('=')).collect()
}

/// The names of the cookies that an answer sets.
pub(crate) fn names(answer: &Answer) -> Vec<String> {
    pairs(answer).iter().map(|pair| pair.split('=').next().unwrap().to_owned()).collect()
}

/// The names of the cookies that an answer clears.
pub(crate) fn cleared(answer: &Answer) -> Vec<String> {
    let lines = answer.cookies().into_iter().filter(|line| line.contains("=; Max-Age=0;"));
    lines.map(|line| line.split('=').next().unwrap().to_owned()).collect()
}

/// The `name=value` of the cookie with this name.
pub(crate) fn pair(answer: &Answer, name: &str) -> String {
    let start = format!("{name}=");
    let found = pairs(answer).into_iter().find(|pair| pair.starts_with(&start));
    found.unwrap_or_else(|| panic!("no cookie {name}: {answer:?}"))
}

/// The session token of a visitor who signed up or in, signed: decoded as in a Bearer header.
pub(crate) fn signed_token(answer: &Answer) -> String {
    let pair = pair(answer, SESSION_TOKEN);
    let value = pair.split_once('=').unwrap().1;
    let decoded = percent_encoding::percent_decode_str(value).decode_utf8().unwrap().into_owned();
    watch::secret(&decoded);
    decoded
}

pub(crate) const SESSION_TOKEN: &str = "better-auth.session_token";
pub(crate) const SESSION_DATA: &str = "better-auth.session_data";
