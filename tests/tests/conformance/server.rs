use auth_proxy::options::SessionStrategy;
use auth_proxy_tests::process::{self, Process, node};
use auth_proxy_tests::{App, Browser};
use axum::Router;
use axum::routing::get;

pub(crate) const SECRET: &str = "the secret of a real server, which is long enough";

/// A real Express + Auth.js server.
pub(crate) struct Server {
    _process: Process,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(strategy: SessionStrategy, base_path: &str, big: usize) -> Self {
        Self::with(strategy, base_path, &[("BIG", &big.to_string())])
    }

    pub(crate) fn with(strategy: SessionStrategy, base_path: &str, vars: &[(&str, &str)]) -> Self {
        let mut command = node("server.mjs");
        command.env("AUTH_SECRET", SECRET).env("STRATEGY", strategy.to_string()).env("BASE_PATH", base_path);
        let process = Process::start(command.envs(vars.iter().copied()));
        Self::of(process)
    }

    /// An OpenID provider with this callback URL.
    pub(crate) fn identity_provider(callback: &str) -> Self {
        Self::of(process::identity_provider(callback))
    }

    /// An OpenID provider with this callback URL, which sends logout tokens to this URL.
    pub(crate) fn identity_provider_with_back_channel(callback: &str, url: &str) -> Self {
        Self::of(process::identity_provider_with_back_channel(callback, url))
    }

    /// A server that terminates TLS on `port`, in front of an app on the port `to`.
    pub(crate) fn tls(port: u16, to: u16) -> Self {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (key, certificate) = (folder.join(format!("{port}.key")), folder.join(format!("{port}.pem")));
        let output = std::process::Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args(["-subj", "/CN=localtest", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .expect("openssl runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut command = node("tls.mjs");
        command
            .env("PORT", port.to_string())
            .env("TO", to.to_string())
            .env("KEY", key)
            .env("CERTIFICATE", certificate);
        Self::of(Process::start(&mut command))
    }

    /// A real next-auth v4 server.
    pub(crate) fn v4(vars: &[(&str, &str)]) -> Self {
        let mut command = node("server-v4.mjs");
        Self::of(Process::start(command.env("AUTH_SECRET", SECRET).envs(vars.iter().copied())))
    }

    fn of(process: Process) -> Self {
        let port = process.port("port");
        Self::at(process, port)
    }

    pub(crate) fn at(process: Process, port: u16) -> Self {
        Self { _process: process, url: format!("http://127.0.0.1:{port}") }
    }
}

auth_proxy::auth_proxy! {
    struct Auth { upstream: { kind: authjs, base_url: env("URL"), base_path: "/auth" } }
}

/// The proxy forwards the sign-in routes to the real server.
#[tokio::test]
async fn real_server_routes_work_through_the_proxy() {
    let server = Server::start(SessionStrategy::Jwt, "/auth", 0);
    let auth = Auth::builder().base_path("/auth").upstream_base_url(&server.url).build().unwrap();
    let app = App::start(auth.attach(Router::new()).with_state(auth.clone())).await;
    let browser = Browser::of(&app).with_base("/auth");
    let providers = browser.get("/auth/providers").await.json();
    // `Host` is preserved, so the links of the server point at this app.
    assert_eq!(providers["credentials"]["callbackUrl"], app.url("/auth/callback/credentials"));
    assert_eq!(browser.get("/auth/session").await.body, "null");
    assert_eq!(browser.get("/auth/unknown").await.status, 400);
    // Auth.js rejects HEAD, so the proxy sends GET.
    let head = reqwest::Client::new().head(app.url("/auth/session")).send().await.unwrap();
    assert_eq!(head.status().as_u16(), 200);
    let missing = browser.post("/auth/callback/credentials", &[("username", "demo")]).await;
    assert!(missing.header("location").ends_with("/auth/signin?error=MissingCSRF"), "{missing:?}");
    let wrong = browser.sign_in("demo", "wrong").await;
    assert!(wrong.header("location").contains("error=CredentialsSignin"), "{wrong:?}");
    assert_eq!(browser.sign_in("demo", "demo").await.header("location"), app.url("/"));
    assert_eq!(browser.get("/auth/session").await.json()["user"]["email"], "demo@example.com");
    browser.sign_out().await;
    assert_eq!(browser.get("/auth/session").await.body, "null");
}

/// Requests without a cookie and with several invalid cookies get 401 with the right code.
#[tokio::test]
async fn cookies_that_the_real_server_refuses_are_rejected_with_401() {
    async fn me(session: auth_proxy::Session<Auth>) -> String {
        session.user.email.clone().unwrap_or_default()
    }
    for strategy in [SessionStrategy::Jwt, SessionStrategy::Database] {
        let server = Server::start(strategy, "/auth", 0);
        let auth = Auth::builder()
            .upstream_base_url(&server.url)
            .upstream_session_strategy(strategy)
            .build()
            .unwrap();
        let router = auth.attach(Router::new().route("/me", get(me))).with_state(auth.clone());
        let app = App::start(router).await;
        let browser = Browser::of(&app);
        assert_eq!(browser.get("/me").await.code(), "session_absent");
        // A value without the form of a JWT is rejected without a lookup. A database token has no fixed form.
        for (garbage, of_jwt) in [
            ("garbage", "token_malformed"),
            ("a..b.c.d", "token_malformed"),
            ("AAAA..AAAA.AAAA.AAAA", "session_refused"),
            ("eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA", "session_refused"),
        ] {
            let code = if strategy == SessionStrategy::Jwt { of_jwt } else { "session_refused" };
            let cookie = format!("authjs.session-token={garbage}");
            let answer = browser.get_with("/me", &[("cookie", &cookie)]).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, code), "{strategy:?} {garbage}");
        }
    }
}
