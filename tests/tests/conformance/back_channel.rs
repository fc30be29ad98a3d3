//! `revocation.back_channel` with a real OpenID provider: a sign-out there ends the access tokens here.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auth_proxy::{Token, auth_proxy};
use auth_proxy_tests::{App, Browser, SharedStore, between, follow_to_the_end, free_port};
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::Value;

use crate::server::Server;

auth_proxy! {
    struct Api {
        upstream: { kind: generic, issuer: env("ISSUER"), audience: env("AUDIENCE") },
        jwks: { url: env("JWKS_URL") },
        session: { revocation: store },
        revocation: { back_channel: true },
    }
}

const VERIFIER: &str = "a-code-verifier-has-between-43-and-128-characters";

/// The provider, and two instances of the app whose client this is.
struct Deployment {
    provider: Server,
    client: &'static str,
    callback: String,
    apps: [App; 2],
    /// The bodies that the route of logout tokens got.
    told: Arc<Mutex<Vec<String>>>,
}

impl Deployment {
    async fn start(client: &'static str) -> Self {
        let port = free_port();
        let own = format!("http://127.0.0.1:{port}");
        let callback = format!("{own}/callback");
        let provider =
            Server::identity_provider_with_back_channel(&callback, &format!("{own}/api/auth/_revoke"));
        let (store, told) = (SharedStore::telling_ends(), Arc::default());
        let app = |told: &Arc<Mutex<Vec<String>>>| {
            let jwks_url = format!("{}/jwks", provider.url);
            let vars = [("ISSUER", provider.url.as_str()), ("JWKS_URL", &jwks_url), ("AUDIENCE", client)];
            let auth = Api::builder().vars(vars).session_store(store.clone()).build().unwrap();
            let token = get(|token: Token<Api>| async move { token.sub.clone().unwrap_or_default() });
            let router =
                Router::new().route("/token", token).route("/callback", get(|| async { "signed in" }));
            let told = Arc::clone(told);
            auth.attach(router).with_state(auth.clone()).layer(from_fn(
                move |request: Request, next: Next| {
                    let told = Arc::clone(&told);
                    async move {
                        let (parts, body) = request.into_parts();
                        let body = to_bytes(body, 1 << 20).await.unwrap();
                        if parts.uri.path().ends_with("/_revoke") {
                            told.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
                        }
                        next.run(Request::from_parts(parts, Body::from(body))).await
                    }
                },
            ))
        };
        let apps = [App::start_at(port, app(&told)).await, App::start(app(&told)).await];
        Self { provider, client, callback, apps, told }
    }

    /// Signs in at the provider, and returns an access token (RFC 6749, section 4.1; RFC 7636; RFC 8707).
    async fn sign_in(&self, browser: &Browser) -> String {
        let resource = format!("https://api.example/ES256?audience={}", self.client);
        let challenge = BASE64.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let mut authorize = reqwest::Url::parse(&format!("{}/auth", self.provider.url)).unwrap();
        authorize.query_pairs_mut().extend_pairs([
            ("client_id", self.client),
            ("response_type", "code"),
            ("redirect_uri", &self.callback),
            ("scope", "openid read"),
            ("resource", &resource),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let start = browser.get(authorize.as_str()).await;
        let (page, at) = follow_to_the_end(browser, start, authorize.to_string()).await;
        assert_eq!(page.body, "signed in", "{at} {page:?}");
        let at = reqwest::Url::parse(&at).unwrap();
        let code = at.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
        let response = reqwest::Client::new()
            .post(format!("{}/token", self.provider.url))
            .basic_auth(self.client, Some("not%20a%20secret%2C%20a%20test"))
            .form(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", &self.callback),
                ("code_verifier", VERIFIER),
                ("resource", &resource),
            ])
            .send()
            .await
            .unwrap();
        let body: Value = response.json().await.unwrap();
        body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    }

    /// Ends the session of a browser at the provider (OpenID Connect RP-Initiated Logout 1.0).
    async fn sign_out(&self, browser: &Browser) {
        let page = browser.get(&format!("{}/session/end", self.provider.url)).await;
        let action = between(&page.body, "action=\"", "\"").expect("a form").to_owned();
        let xsrf = between(&page.body, "name=\"xsrf\" value=\"", "\"").expect("a hidden field").to_owned();
        let answer = browser.post(&action, &[("xsrf", &xsrf), ("logout", "yes")]).await;
        assert_eq!(answer.status, 303, "{answer:?}");
    }

    /// What each instance says about a token: the user, or the code of the error.
    async fn outcomes(&self, token: &str) -> [String; 2] {
        let ask = async |app: &App| {
            let bearer = format!("Bearer {token}");
            let answer = Browser::of(app).get_with("/token", &[("authorization", &bearer)]).await;
            if answer.status == 200 { answer.body } else { answer.code() }
        };
        [ask(&self.apps[0]).await, ask(&self.apps[1]).await]
    }

    /// The logout token that the provider sent last.
    fn logout_token(&self) -> String {
        let told = self.told.lock().unwrap();
        told.last().expect("the provider tells the app").strip_prefix("logout_token=").unwrap().to_owned()
    }
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64.decode(payload).unwrap()).unwrap()
}

/// Waits for the second after the one that a token was issued in: its `iat` has no fraction.
async fn next_second_after(token: &str) {
    let issued = claims(token)["iat"].as_u64().unwrap();
    while SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() <= issued {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn ended() -> [String; 2] {
    ["session_revoked", "session_revoked"].map(str::to_owned)
}

fn ada() -> [String; 2] {
    ["ada", "ada"].map(str::to_owned)
}

#[tokio::test]
async fn sign_out_at_the_provider_ends_the_access_tokens_of_that_session() {
    let deployment = Deployment::start("by-session").await;
    let (laptop, phone) = (Browser::at(&deployment.provider.url), Browser::at(&deployment.provider.url));
    let (on_laptop, on_phone) = (deployment.sign_in(&laptop).await, deployment.sign_in(&phone).await);
    assert_ne!(claims(&on_laptop)["sid"], claims(&on_phone)["sid"]);
    assert_eq!([deployment.outcomes(&on_laptop).await, deployment.outcomes(&on_phone).await], [ada(), ada()]);
    let began = Instant::now();
    deployment.sign_out(&laptop).await;
    assert_eq!(deployment.outcomes(&on_laptop).await, ended());
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(deployment.outcomes(&on_phone).await, ada(), "another session of the same user");
    let logout = claims(&deployment.logout_token());
    assert_eq!((&logout["sid"], &logout["sub"]), (&claims(&on_laptop)["sid"], &"ada".into()));
    let again = deployment.sign_in(&laptop).await;
    assert_eq!(deployment.outcomes(&again).await, ada());
}

#[tokio::test]
async fn sign_out_at_a_provider_that_names_no_session_ends_the_tokens_of_the_user() {
    let deployment = Deployment::start("by-user").await;
    let (laptop, phone) = (Browser::at(&deployment.provider.url), Browser::at(&deployment.provider.url));
    let (on_laptop, on_phone) = (deployment.sign_in(&laptop).await, deployment.sign_in(&phone).await);
    assert_eq!([deployment.outcomes(&on_laptop).await, deployment.outcomes(&on_phone).await], [ada(), ada()]);
    next_second_after(&on_phone).await;
    let began = Instant::now();
    deployment.sign_out(&laptop).await;
    assert_eq!(deployment.outcomes(&on_laptop).await, ended());
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(deployment.outcomes(&on_phone).await, ended());
    assert!(claims(&deployment.logout_token()).get("sid").is_none());
    let again = deployment.sign_in(&laptop).await;
    assert_eq!(deployment.outcomes(&again).await, ada(), "a sign-in after the sign-out");
}

/// The provider signs it for this app, with a key of its access tokens.
#[tokio::test]
async fn logout_token_of_the_provider_is_no_access_token() {
    let deployment = Deployment::start("by-user").await;
    let browser = Browser::at(&deployment.provider.url);
    deployment.sign_in(&browser).await;
    deployment.sign_out(&browser).await;
    let token = deployment.logout_token();
    assert_eq!(
        deployment.outcomes(&token).await,
        ["token_unsupported", "token_unsupported"].map(str::to_owned)
    );
    // It was accepted, and is not accepted again.
    let sent = reqwest::Client::new().post(deployment.apps[0].url("/api/auth/_revoke"));
    let answer = sent.form(&[("logout_token", &token)]).send().await.unwrap();
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "logout_token_replayed");
}
