//! Tests the pages of the quickstart, in Chromium and over HTTP.

use auth_proxy::testing::FakeUpstream;
use auth_proxy_tests::{Browser, free_port};
use serde_json::{Value, json};

use crate::browser::{output, run};
use auth_proxy_tests::process::{Process, example};

/// The session cookie of a user whose fields contain HTML.
fn hostile(upstream: &FakeUpstream) -> String {
    let name = r#"<img src=x onerror="alert(1)"> & <script>alert(2)</script> "#.to_owned() + &"x".repeat(200);
    upstream.cookie(&json!({
        "sub": "1",
        "name": name,
        "email": r#""><script>alert(3)</script>@example.com"#,
        "picture": r#"https://pictures.example/1.png?" onerror="alert(4)"#,
    }))
}

fn start(upstream: &str) -> Process {
    Process::start(example("quickstart").env("AUTH_UPSTREAM_URL", upstream))
}

fn address(program: &Process) -> String {
    program.first_line.split(' ').next().unwrap().to_owned()
}

/// Visits the quickstart at two widths, in light and dark: sign-in, session, protected page, sign-out, HTML in names,
/// and an outage.
#[tokio::test]
async fn quickstart_pages_work_in_chromium() {
    let upstream = FakeUpstream::start().await.unwrap();
    let programs = [
        Process::start(&mut example("quickstart")),
        start(upstream.url()),
        start(&format!("http://127.0.0.1:{}", free_port())),
    ];
    let [app, hostile_app, down] = programs.each_ref().map(address);
    let vars = vec![
        ("APP", app),
        ("HOSTILE", hostile_app),
        ("DOWN", down),
        ("COOKIE", hostile(&upstream)),
        ("OUTPUT", output("quickstart")),
    ];
    run("quickstart.mjs", vars, "the quickstart works").await;
}

#[tokio::test]
async fn quickstart_escapes_user_fields() {
    let upstream = FakeUpstream::start().await.unwrap();
    let program = start(upstream.url());
    let (browser, cookie) = (Browser::at(&address(&program)), hostile(&upstream));
    for path in ["/", "/dashboard"] {
        let page = browser.get_with(path, &[("cookie", &cookie)]).await;
        assert_eq!(page.status, 200, "{page:?}");
        for forbidden in ["<script", "<img src", "onerror=\""] {
            assert!(!page.body.contains(forbidden), "{path} {forbidden}: {}", page.body);
        }
        assert!(page.body.contains("&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &lt;script&gt;"));
    }
}

/// The users have names with one and with two initials, pictures with unsafe URLs, and no name.
#[tokio::test]
async fn quickstart_shows_initials_of_a_user_without_a_picture() {
    let upstream = FakeUpstream::start().await.unwrap();
    let program = start(upstream.url());
    let browser = Browser::at(&address(&program));
    for (name, picture, initials) in [
        (json!("ada king lovelace"), Value::Null, "AK"),
        (json!("<b> \"x"), Value::Null, "&lt;&quot;"),
        (json!("Ada"), json!("javascript:alert(1)"), "A"),
        (json!("Ada"), json!("http://pictures.example/1.png"), "A"),
        (Value::Null, Value::Null, "A"),
    ] {
        let claims = json!({ "sub": "1", "name": name, "email": "ada@example.com", "picture": picture });
        let page = browser.get_with("/", &[("cookie", &upstream.cookie(&claims))]).await;
        let shown = format!(r#"<span class="picture" aria-hidden="true">{initials}</span>"#);
        assert!(page.body.contains(&shown), "{claims}: {}", page.body);
        assert!(!page.body.contains("<img"), "{claims}");
    }
}

#[tokio::test]
async fn quickstart_shows_which_source_answered_the_session_lookup() {
    let upstream = FakeUpstream::start().await.unwrap();
    let program = start(upstream.url());
    let cookie = upstream.cookie(&json!({ "sub": "1", "name": "Ada" }));
    let foreign = FakeUpstream::builder().secret("another secret that is long enough").start().await.unwrap();
    let unknown = foreign.cookie(&json!({ "sub": "1" }));
    for (cookie, title, lookups, answered_by) in [
        ("", "Hello, guest", 0, "None: the browser sent no session cookie"),
        ("authjs.session-token=x", "Hello, guest", 0, "None: the upstream was not asked"),
        (&unknown, "Hello, guest", 1, "Answered by the upstream"),
        (&cookie, "Hello, Ada", 2, "Answered by the upstream"),
        (&cookie, "Hello, Ada", 2, "Answered by the cache"),
    ] {
        let page = Browser::at(&address(&program)).get_with("/", &[("cookie", cookie)]).await;
        assert!(page.body.contains(&format!("<h1>{title}</h1>")), "{answered_by}: {}", page.body);
        assert!(page.body.contains(&format!(r#"<dd id="lookup">{answered_by}"#)), "{}", page.body);
        assert_eq!(upstream.lookups(), lookups, "{answered_by}");
    }
}
