//! What the app is told of the visitor, and that a client cannot forge it.

use auth_proxy_tests::Answer;

use crate::support::{Running, app, authjs, config, received};

const IDENTITY: [&str; 3] = ["x-auth-subject", "x-auth-name", "x-auth-email"];

#[tokio::test]
async fn visitor_signs_in_through_the_gateway_and_the_app_knows_who_it_is() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let browser = gateway.browser();
    // A program gets 401, a browser the sign-in page.
    assert_eq!(browser.get("/me").await.code(), "session_absent");
    let page = [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let redirected = browser.get_with("/me?a=b", &page).await;
    assert_eq!(redirected.status, 303, "{redirected:?}");
    assert_eq!(redirected.header("location"), "/api/auth/signin?callbackUrl=%2Fme%3Fa%3Db");
    browser.sign_in("demo", "demo").await;
    let answer = browser.get("/me?a=b").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["url"], "/me?a=b");
    let identity = IDENTITY.map(|name| received(&answer.body, name));
    assert_eq!(identity, [vec!["1"], vec!["Demo"], vec!["demo@example.com"]]);
    // The answer is the visitor's alone.
    assert!(answer.header("cache-control").contains("private"), "{answer:?}");
    browser.sign_out().await;
    assert_eq!(browser.get("/me").await.code(), "session_absent");
}

#[tokio::test]
async fn app_gets_the_session_cookie_only_if_it_is_told_to() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    for (option, passes) in [("", false), ("pass_session = true", true)] {
        let gateway = Running::start(&config(&auth, &app, "", option));
        let browser = gateway.signed_in("demo").await;
        let answer = browser.get_with("/me", &[("cookie", "mine=1")]).await;
        assert_eq!(answer.code(), "session_absent", "reqwest replaces the cookies of the jar");
        let cookies = received(&browser.get("/me").await.body, "cookie").join("; ");
        assert_eq!(cookies.contains("authjs.session-token="), passes, "{option}");
        // Other cookies stay: the app may have its own.
        assert!(cookies.contains("authjs.csrf-token="), "{cookies}");
    }
}

/// Raw requests, since a client library would not send them.
#[tokio::test]
async fn identity_headers_of_a_client_never_reach_the_app() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let browser = gateway.signed_in("demo").await;
    let spellings = [
        "X-Auth-Subject",
        "x_auth_subject",
        "X-Auth_Subject",
        "X_AUTH-SUBJECT",
        "X.Auth.Subject",
        "X!Auth-Subject",
        "x-auth.roles",
        "X-Auth-Name",
        "X-Auth-Email",
        "X-Auth-Roles",
        "x-auth-anything",
    ];
    let forged: Vec<(&str, &str)> = spellings.iter().map(|name| (*name, "admin-forged")).collect();
    let twice: Vec<_> = forged.iter().chain(&forged).copied().collect();
    for headers in [forged, twice] {
        let answer = browser.get_with("/me", &headers).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.body.contains("forged"), "{}", answer.body);
        assert_eq!(received(&answer.body, "x-auth-subject"), ["1"]);
    }
    // A header that `Connection` names is removed, but not one that the gateway adds.
    let named =
        browser.get_with("/me", &[("connection", "x-auth-subject, x-auth-name, x-forwarded-for")]).await;
    assert_eq!(IDENTITY.map(|name| received(&named.body, name).len()), [1, 1, 1], "{}", named.body);
    assert_eq!(received(&named.body, "x-forwarded-for"), ["127.0.0.1"]);
}

#[tokio::test]
async fn forwarding_headers_are_written_anew_and_paths_of_other_headers_do_not_reach_the_app() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let browser = gateway.signed_in("demo").await;
    let forged = [
        ("x-forwarded-for", "9.9.9.9"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=9.9.9.9"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-real-ip", "9.9.9.9"),
        ("x-http-method-override", "DELETE"),
        ("x-middleware-subrequest", "middleware"),
        ("te", "trailers"),
        ("proxy-authorization", "x"),
    ];
    let answer = browser.get_with("/me", &forged).await;
    for (name, expected) in [
        ("x-forwarded-for", vec!["127.0.0.1".to_owned()]),
        ("x-forwarded-host", vec![format!("localhost:{}", gateway.addr.port())]),
        ("x-forwarded-proto", vec!["http".to_owned()]),
        ("host", vec![format!("localhost:{}", gateway.addr.port())]),
        ("x-original-url", vec![]),
        ("x-rewrite-url", vec![]),
        ("x-real-ip", vec![]),
        ("x-http-method-override", vec![]),
        ("x-middleware-subrequest", vec![]),
        ("te", vec![]),
        ("proxy-authorization", vec![]),
    ] {
        assert_eq!(received(&answer.body, name), expected, "{name}");
    }
    assert!(!answer.body.contains("9.9.9.9") && !answer.body.contains("evil"), "{}", answer.body);
    // Some servers read these as other headers, or as a part of the path.
    for name in ["script_name", "SCRIPT_NAME", "path_info", "x.http.method.override", "x!original!url"] {
        let answer = browser.get_with("/me", &[(name, "/admin")]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(received(&answer.body, &name.to_lowercase()), [""; 0], "{name}");
    }
    // With `host = "app"` the app sees its own host.
    let gateway = Running::start(&config(&auth, &app, "", "host = \"app\""));
    let browser = gateway.signed_in("demo").await;
    let answer = browser.get("/me").await;
    assert_eq!(received(&answer.body, "host"), [app.trim_start_matches("http://")]);
    assert_eq!(received(&answer.body, "x-forwarded-host"), [format!("localhost:{}", gateway.addr.port())]);
}

/// With a key, the app can check who says so.
#[tokio::test]
async fn signed_token_names_the_visitor_to_the_app() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let key = crate::support::file("identity.pem", "");
    let made = std::process::Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-out"])
        .arg(&key)
        .status();
    assert!(made.unwrap().success());
    let table = format!(
        "[verdict]\ntoken_key = \"file:{}\"\ntoken_issuer = \"https://app.example.com\"\ntoken_audience = \"app\"\n",
        key.display()
    );
    let gateway = Running::start(&config(&auth, &app, "", &table));
    let browser = gateway.signed_in("demo").await;
    let forged = [("x-auth-token", "forged"), ("x_auth_token", "forged")];
    let answer = browser.get_with("/me", &forged).await;
    let tokens = received(&answer.body, "x-auth-token");
    assert!(tokens.len() == 1 && !answer.body.contains("forged"), "{}", answer.body);
    let keys = gateway.browser().get("/_auth/verdict/jwks.json").await.json();
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
    // Node checks it, as the app would.
    let program = "const [token, keys] = process.argv.slice(1)
        const [head, body, signature] = token.split('.')
        const key = await crypto.subtle.importKey('jwk', JSON.parse(keys).keys[0], { name: 'Ed25519' }, false, ['verify'])
        const bytes = (text) => Buffer.from(text, 'base64url')
        const right = await crypto.subtle.verify('Ed25519', key, bytes(signature), Buffer.from(`${head}.${body}`))
        console.log(right, bytes(body).toString())";
    let output = std::process::Command::new("node")
        .args(["--input-type=module", "--no-warnings", "--eval", program, &tokens[0], &keys.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let claims = text
        .strip_prefix("true ")
        .unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    let claims: serde_json::Value = serde_json::from_str(claims).unwrap();
    assert_eq!(
        (&claims["sub"], &claims["iss"], &claims["aud"]),
        (&"1".into(), &"https://app.example.com".into(), &"app".into())
    );
}

#[tokio::test]
async fn foreign_hosts_and_requests_to_a_forward_proxy_are_refused() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "", ""));
    let browser = gateway.signed_in("demo").await;
    assert_eq!(browser.get_with("/me", &[("host", "evil.example")]).await.code(), "host_unknown");
    let client = reqwest::Client::new();
    let cookie = cookie_of(&gateway).await;
    let traced = client.request(reqwest::Method::TRACE, gateway.url("/me")).header("cookie", &cookie);
    let traced = Answer::of(traced.send().await.unwrap()).await;
    assert_eq!((traced.status, traced.code().as_str()), (405, "method_not_allowed"));
}

/// The session cookie of a visitor who signed in as `demo`.
pub(crate) async fn cookie_of(gateway: &Running) -> String {
    cookie_of_user(gateway, "demo").await
}

/// The session cookie of a visitor who signed in.
pub(crate) async fn cookie_of_user(gateway: &Running, name: &str) -> String {
    let signed_in = gateway.browser().sign_in(name, name).await;
    let cookie =
        signed_in.cookies().into_iter().find(|cookie| cookie.starts_with("authjs.session-token=")).unwrap();
    cookie.split(';').next().unwrap().to_owned()
}
