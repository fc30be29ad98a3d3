//! The files of `examples/revoke` in real servers of Auth.js and next-auth: what they end at two instances of an app.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auth_proxy::Session;
use auth_proxy::options::{RevocationList, SessionSource, UpstreamKind};
use auth_proxy_tests::process::{Process, node, revoke_with_node};
use auth_proxy_tests::{Answer, App, Browser, SharedStore, free_port, watch};
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};

use crate::server::{SECRET, Server};

const WEBHOOK: &str = "the secret of the webhook, which is long enough";

const SERVERS: [(&str, UpstreamKind); 2] =
    [("server.mjs", UpstreamKind::Authjs), ("server-v4.mjs", UpstreamKind::NextAuthV4)];

auth_proxy::auth_proxy! {
    struct Auth { upstream: { base_url: env("URL") } }
}

/// A server that tells the first of two instances.
struct Team {
    server: Server,
    instances: [App; 2],
    log: PathBuf,
}

/// A visitor, and a copy of the cookie that a sign-out does not take away.
struct Visitor {
    browser: Browser,
    cookie: String,
}

impl Team {
    /// The server signs with `secret`.
    async fn start((script, kind): (&str, UpstreamKind), secret: &str) -> Self {
        for secret in [SECRET, WEBHOOK, secret] {
            watch::secret(secret);
        }
        let port = free_port();
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("revoke-{port}.log"));
        let mut command = node(script);
        command.env("AUTH_SECRET", SECRET).env("AUTH_REVOKE_URL", revoke_url(port));
        command.env("AUTH_REVOKE_SECRET", secret).stderr(File::create(&log).unwrap());
        let process = Process::start(&mut command);
        let server_port = process.port("port");
        let server = Server::at(process, server_port);
        let store = SharedStore::telling_ends();
        let instance = |port| App::start_at(port, router(kind, &server.url, &store));
        let instances = [instance(port).await, instance(0).await];
        Self { server, instances, log }
    }

    /// Signs in at the first instance.
    async fn visitor(&self, name: &str) -> Visitor {
        let browser = Browser::of(&self.instances[0]);
        let cookie = session_cookie(&browser.sign_in(name, name).await);
        Visitor { browser, cookie }
    }

    /// Signs out at the server itself.
    async fn sign_out(&self, visitor: &Visitor) {
        let csrf = visitor.browser.csrf().await;
        let url = format!("{}/api/auth/signout", self.server.url);
        // Without the header next-auth v4 takes https for granted, and looks for cookies of other names.
        let http = [("x-forwarded-proto", "http")];
        let answer = visitor.browser.post_with(&url, &[("csrfToken", &csrf)], &http).await;
        let is_cleared = answer.cookies().into_iter().any(|line| line.contains("session-token=;"));
        assert!(answer.status == 302 && is_cleared, "{answer:?}");
    }

    /// What an administrator's button calls at the server.
    async fn sign_out_everywhere(&self, user: &str) -> bool {
        let url = format!("{}/__everywhere?user={user}", self.server.url);
        Browser::at(&self.server.url).post(&url, &[]).await.json() == json!(true)
    }

    /// What both instances answer to this cookie.
    async fn answers(&self, cookie: &str) -> [String; 2] {
        let [first, second] = &self.instances;
        [answer(first, cookie).await, answer(second, cookie).await]
    }

    fn url(&self) -> String {
        revoke_url(self.instances[0].addr.port())
    }

    fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

const ACCEPTED: [&str; 2] = ["", ""];
const REVOKED: [&str; 2] = ["session_revoked", "session_revoked"];

fn revoke_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/api/auth/_revoke")
}

fn router(kind: UpstreamKind, server: &str, store: &SharedStore) -> Router {
    async fn me(_: Session<Auth>) {}
    let auth = Auth::builder().upstream_kind(kind).upstream_base_url(server).upstream_secret([SECRET]);
    let auth = auth.session_source(SessionSource::Local).session_revocation(RevocationList::Store);
    let auth = auth.session_store(store.clone()).revocation_webhook_secret([WEBHOOK]).build().unwrap();
    auth.attach(Router::new().route("/me", get(me))).with_state(auth.clone())
}

/// The code of the error with which an instance refuses a cookie. Empty if it accepts the cookie.
async fn answer(app: &App, cookie: &str) -> String {
    let answer = Browser::of(app).get_with("/me", &[("cookie", cookie)]).await;
    if answer.status == 200 { String::new() } else { answer.code() }
}

fn session_cookie(answer: &Answer) -> String {
    let line = answer.cookies().into_iter().find(|line| line.contains("session-token=ey"));
    line.unwrap_or_else(|| panic!("no session cookie: {answer:?}")).split(';').next().unwrap().to_owned()
}

/// Waits for the begin of a second, so that what follows happens in this second.
async fn second_begins() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    tokio::time::sleep(Duration::from_secs(1) - Duration::from_nanos(now.subsec_nanos().into())).await;
}

#[tokio::test]
async fn sign_out_at_the_server_ends_the_token_at_every_instance() {
    for kind in SERVERS {
        let team = Team::start(kind, WEBHOOK).await;
        let (visitor, phone) = (team.visitor("demo").await, team.visitor("demo").await);
        let other = team.visitor("admin").await;
        for visitor in [&visitor, &phone, &other] {
            assert_eq!(team.answers(&visitor.cookie).await, ACCEPTED, "{kind:?}");
        }
        let began = Instant::now();
        team.sign_out(&visitor).await;
        assert_eq!(team.answers(&visitor.cookie).await, REVOKED, "{kind:?}");
        assert!(began.elapsed() < Duration::from_secs(1), "{kind:?}");
        for visitor in [&phone, &other] {
            assert_eq!(team.answers(&visitor.cookie).await, ACCEPTED, "{kind:?}");
        }
        assert_eq!(team.answers(&team.visitor("demo").await.cookie).await, ACCEPTED, "{kind:?}");
        // The app is asked to revoke while it waits for the answer to the sign-out that it forwarded.
        assert_eq!(phone.browser.sign_out().await.status, 302);
        assert_eq!(team.answers(&phone.cookie).await, REVOKED, "{kind:?}");
        assert_eq!(team.logged(), "", "{kind:?}");
    }
}

/// Each renewal makes a new `jti`, and the server does not know the old ones.
#[tokio::test]
async fn sign_out_at_the_server_ends_no_older_token_and_everywhere_does() {
    let team = Team::start(SERVERS[0], WEBHOOK).await;
    let (visitor, phone) = (team.visitor("demo").await, team.visitor("demo").await);
    let other = team.visitor("admin").await;
    let renewed = session_cookie(&visitor.browser.get("/api/auth/session").await);
    assert_ne!(renewed, visitor.cookie);
    team.sign_out(&visitor).await;
    assert_eq!(team.answers(&renewed).await, REVOKED);
    assert_eq!(team.answers(&visitor.cookie).await, ACCEPTED);

    second_begins().await;
    let began = Instant::now();
    assert!(team.sign_out_everywhere("1").await);
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    // At once, so the token has the first second that is not revoked.
    let next = team.visitor("demo").await;
    assert_eq!(team.answers(&next.cookie).await, ACCEPTED);
    for cookie in [&visitor.cookie, &phone.cookie] {
        assert_eq!(team.answers(cookie).await, REVOKED);
    }
    assert_eq!(team.answers(&other.cookie).await, ACCEPTED);
    assert_eq!(team.logged(), "");
}

/// Auth.js keeps nothing with the JWT strategy, so it renews a token that is revoked in the apps.
#[tokio::test]
async fn server_that_browsers_reach_renews_a_revoked_token() {
    let team = Team::start(SERVERS[0], WEBHOOK).await;
    second_begins().await;
    let visitor = team.visitor("demo").await;
    assert!(team.sign_out_everywhere("1").await);
    assert_eq!(team.answers(&visitor.cookie).await, REVOKED);
    let cookie = [("cookie", visitor.cookie.as_str())];
    let by_app = Browser::of(&team.instances[1]).get_with("/api/auth/session", &cookie).await;
    assert_eq!((by_app.status, by_app.json()), (200, Value::Null));
    let by_server = Browser::at(&team.server.url).get_with("/api/auth/session", &cookie).await;
    assert_eq!(team.answers(&session_cookie(&by_server)).await, ACCEPTED);
}

#[tokio::test]
async fn token_hash_ends_one_token_and_not_the_renewed_one() {
    let team = Team::start(SERVERS[0], WEBHOOK).await;
    let visitor = team.visitor("demo").await;
    let renewed = session_cookie(&visitor.browser.get("/api/auth/session").await);
    let (_, token) = visitor.cookie.split_once('=').unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let hash = digest(&SHA256, signed.as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let (is_revoked, logged) = revoke_with_node(&team.url(), WEBHOOK, &json!({ "token_hash": hash })).await;
    assert!(is_revoked, "{logged}");
    assert_eq!(team.answers(&visitor.cookie).await, REVOKED);
    assert_eq!(team.answers(&renewed).await, ACCEPTED);
}

#[tokio::test]
async fn server_with_another_secret_revokes_nothing_and_signs_out_all_the_same() {
    for kind in SERVERS {
        let team = Team::start(kind, "another secret, which is long enough too").await;
        let visitor = team.visitor("demo").await;
        team.sign_out(&visitor).await;
        assert_eq!(team.answers(&visitor.cookie).await, ACCEPTED, "{kind:?}");
        let logged = team.logged();
        assert!(logged.contains("not revoked: 401") && logged.contains("signature_wrong"), "{logged}");
        assert!(!logged.contains("another secret") && !logged.contains(&visitor.cookie), "{logged}");
    }
}
