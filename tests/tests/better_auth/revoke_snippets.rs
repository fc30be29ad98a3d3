//! The files of `examples/revoke` in real servers: what they end at two instances of an app.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use auth_proxy::options::{RevocationList, UpstreamKind};
use auth_proxy_tests::{Answer, App, Browser, SharedStore, free_port, watch};
use serde_json::{Value, json};

use crate::proxy::{Auth, pages};
use crate::server::{BetterAuthServer, SECRET, SESSION_TOKEN, VERSIONS, pairs};

const WEBHOOK: &str = "the secret of the webhook, which is long enough";

const HOUR: Duration = Duration::from_secs(3600);

/// A server that tells the first of two instances. They read its cookie cache, and cache what they look up.
struct Team {
    server: BetterAuthServer,
    instances: [App; 2],
    log: PathBuf,
}

/// A visitor, and copies of the cookies that a sign-out does not take away.
struct Visitor {
    visitor: crate::server::Visitor,
    /// With the cookie cache, which is decoded here, and without, which needs a lookup.
    cookies: [String; 2],
}

impl Team {
    /// The server signs with `secret`.
    async fn start(mut options: Value, secret: &str) -> Self {
        watch::secret(WEBHOOK);
        let port = free_port();
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("revoke-{port}.log"));
        let own = format!("http://127.0.0.1:{port}");
        options["baseURL"] = json!(own);
        options["cookieCache"] = json!({ "strategy": "compact" });
        options["revokes"] = json!(true);
        let vars =
            [("AUTH_REVOKE_URL", format!("{own}/api/auth/_revoke")), ("AUTH_REVOKE_SECRET", secret.into())];
        let server = BetterAuthServer::alone_with(options, &vars, &log);
        let store = SharedStore::telling_ends();
        let instance = |port| {
            let auth = Auth::builder().upstream_kind(UpstreamKind::BetterAuth).upstream_secret([SECRET]);
            let auth = auth.upstream_base_url(server.url()).session_cache(HOUR).session_store(store.clone());
            let auth = auth.session_revocation(RevocationList::Store).revocation_webhook_secret([WEBHOOK]);
            let auth = auth.build().unwrap();
            async move { App::start_at(port, pages(&auth)).await }
        };
        let instances = [instance(port).await, instance(0).await];
        Self { server, instances, log }
    }

    fn at_app(&self) -> crate::server::Visitor {
        crate::server::Visitor::at(&self.instances[0].url(""))
    }

    /// Signs up at the first instance.
    async fn sign_up(&self, name: &str) -> Visitor {
        let visitor = self.at_app();
        let cookies = cookies(&visitor.sign_up(name).await);
        Visitor { visitor, cookies }
    }

    async fn sign_in(&self, name: &str) -> Visitor {
        let visitor = self.at_app();
        let cookies = cookies(&visitor.sign_in(name).await);
        Visitor { visitor, cookies }
    }

    /// Posts to the server itself, as a page of the app would.
    async fn post(&self, visitor: &Visitor, route: &str) {
        let browser = &visitor.visitor.browser;
        let url = format!("{}/api/auth{route}", self.server.url());
        let answer = browser.post_json_with(&url, &json!({}), &[("origin", browser.origin())]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn assert_accepted(&self, visitors: &[&Visitor]) {
        for cookie in visitors.iter().flat_map(|visitor| &visitor.cookies) {
            for app in &self.instances {
                let answer = ask(app, cookie).await;
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        }
    }

    async fn assert_revoked(&self, visitors: &[&Visitor]) {
        for cookie in visitors.iter().flat_map(|visitor| &visitor.cookies) {
            for app in &self.instances {
                let answer = ask(app, cookie).await;
                assert_eq!((answer.status, answer.code().as_str()), (401, "session_revoked"), "{answer:?}");
            }
        }
    }

    fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

async fn ask(app: &App, cookie: &str) -> Answer {
    Browser::of(app).get_with("/me", &[("cookie", cookie)]).await
}

fn cookies(answer: &Answer) -> [String; 2] {
    let all = pairs(answer);
    let token = all.iter().find(|pair| pair.starts_with(SESSION_TOKEN)).expect("a session cookie").clone();
    assert!(all.len() > 1, "no cookie cache: {answer:?}");
    [all.join("; "), token]
}

#[tokio::test]
async fn sessions_that_the_server_deletes_end_at_every_instance() {
    for version in VERSIONS {
        let team = Team::start(json!({ "version": version }), WEBHOOK).await;
        let laptop = team.sign_up("ada").await;
        let (phone, tablet) = (team.sign_in("ada").await, team.sign_in("ada").await);
        let other = team.sign_up("bob").await;
        team.assert_accepted(&[&laptop, &phone, &tablet, &other]).await;

        let began = Instant::now();
        team.post(&laptop, "/sign-out").await;
        team.assert_revoked(&[&laptop]).await;
        assert!(began.elapsed() < Duration::from_secs(1), "{version} {:?}", began.elapsed());
        team.assert_accepted(&[&phone, &tablet, &other]).await;

        team.post(&phone, "/revoke-sessions").await;
        team.assert_revoked(&[&phone, &tablet]).await;
        team.assert_accepted(&[&other, &team.sign_in("ada").await]).await;
        // The app is asked to revoke while it waits for the answer to the sign-out that it forwarded.
        assert_eq!(other.visitor.sign_out().await.status, 200);
        team.assert_revoked(&[&other]).await;
        assert_eq!(team.logged(), "", "{version}");
    }
}

#[tokio::test]
async fn server_with_another_secret_revokes_nothing_and_signs_out_all_the_same() {
    for version in VERSIONS {
        let team =
            Team::start(json!({ "version": version }), "another secret, which is long enough too").await;
        let visitor = team.sign_up("ada").await;
        team.assert_accepted(&[&visitor]).await;
        team.post(&visitor, "/sign-out").await;
        assert_eq!(team.server.sessions().await, [json!(null); 0], "{version}");
        team.assert_accepted(&[&visitor]).await;
        let logged = team.logged();
        assert!(logged.contains("not revoked: 401") && logged.contains("signature_wrong"), "{logged}");
        assert!(!logged.contains("another secret"), "{logged}");
    }
}

/// A hook runs for what Better Auth deletes itself.
#[tokio::test]
async fn row_that_another_program_deletes_is_not_told() {
    for version in VERSIONS {
        let team = Team::start(json!({ "version": version }), WEBHOOK).await;
        let visitor = team.sign_up("ada").await;
        team.assert_accepted(&[&visitor]).await;
        team.server.revoke("ada@example.com").await;
        team.assert_accepted(&[&visitor]).await;
    }
}

/// Better Auth calls no hook for sessions that are not in its database.
#[tokio::test]
async fn sessions_in_secondary_storage_alone_are_not_told() {
    for version in VERSIONS {
        for in_database in [false, true] {
            let session = json!({ "storeSessionInDatabase": in_database });
            let options = json!({ "version": version, "session": session, "secondaryStorage": true });
            let team = Team::start(options, WEBHOOK).await;
            let visitor = team.sign_up("ada").await;
            team.assert_accepted(&[&visitor]).await;
            team.post(&visitor, "/sign-out").await;
            if in_database {
                team.assert_revoked(&[&visitor]).await;
            } else {
                team.assert_accepted(&[&visitor]).await;
            }
        }
    }
}
