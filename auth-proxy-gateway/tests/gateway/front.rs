//! nginx with TLS in front of the gateway, as in the guide, and nginx that asks the gateway for verdicts.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use auth_proxy_tests::process::Process;
use auth_proxy_tests::{Answer, free_port};

use crate::support::{Running, app, authjs, config, file, received};

/// A certificate of its own, and its key.
fn certificate() -> (PathBuf, PathBuf) {
    let key = file("key.pem", "");
    let certificate = key.with_file_name("certificate.pem");
    let output = Command::new("openssl")
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
        .args(["-subj", "/CN=app.example.com", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (certificate, key)
}

/// Starts nginx with these lines within `http`.
fn nginx(port: u16, http: &str) -> Process {
    let conf = file(
        "nginx.conf",
        &format!(
            "daemon off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\nclient_body_temp_path a;\nproxy_temp_path b;\nfastcgi_temp_path c;\nuwsgi_temp_path d;\nscgi_temp_path e;\n{http}\n}}\n"
        ),
    );
    let mut command = Command::new("nginx");
    command
        .arg("-p")
        .arg(conf.parent().unwrap())
        .args(["-e", "stderr", "-c"])
        .arg(&conf)
        .stdin(Stdio::null());
    Process::answering(&mut command, port, "/")
}

/// A client with a cookie jar that believes every certificate.
fn client() -> reqwest::Client {
    let address = ([127, 0, 0, 1], 0).into();
    let builder =
        reqwest::Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none()).no_proxy();
    builder
        .danger_accept_invalid_certs(true)
        .resolve("app.example.com", address)
        .resolve("other.example.com", address)
        .build()
        .unwrap()
}

async fn get(client: &reqwest::Client, url: &str) -> Answer {
    Answer::of(client.get(url).send().await.unwrap()).await
}

/// Signs in with the form of Auth.js.
async fn sign_in(client: &reqwest::Client, origin: &str) {
    let csrf = get(client, &format!("{origin}/api/auth/csrf")).await.json()["csrfToken"]
        .as_str()
        .unwrap()
        .to_owned();
    let form =
        [("csrfToken", csrf.as_str()), ("username", "demo"), ("password", "demo"), ("callbackUrl", origin)];
    let request = client.post(format!("{origin}/api/auth/callback/credentials")).form(&form);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!((answer.status, answer.header("location")), (302, origin), "{answer:?}");
    assert!(
        answer.cookies().iter().any(|cookie| cookie.starts_with("__Secure-authjs.session-token=")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn nginx_of_the_guide_stands_in_front_with_tls() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let port = free_port();
    let origin = format!("https://app.example.com:{port}");
    let top = format!("public_url = \"{origin}\"\ntrusted_proxies = [\"127.0.0.1\"]");
    let gateway = Running::start(&config(&auth, &app, &top, ""));
    let (certificate, key) = certificate();
    let conf = include_str!("../../deploy/nginx.conf");
    let conf = [
        ("listen 443 ssl", format!("listen 127.0.0.1:{port} ssl")),
        ("/etc/ssl/app.example.com.pem", certificate.display().to_string()),
        ("/etc/ssl/app.example.com.key", key.display().to_string()),
        ("http://127.0.0.1:8080", format!("http://{}", gateway.addr)),
    ]
    .into_iter()
    .fold(conf.to_owned(), |conf, (from, to)| {
        assert!(conf.contains(from), "{from}");
        conf.replace(from, &to)
    });
    let _nginx = nginx(port, &conf);
    let client = client();
    let first = client.get(format!("{origin}/me")).send().await.unwrap();
    assert_eq!((first.status().as_u16(), first.version()), (401, http::Version::HTTP_2));
    sign_in(&client, &origin).await;
    let answer = get(&client, &format!("{origin}/me")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(received(&answer.body, "x-auth-subject"), ["1"]);
    assert_eq!(received(&answer.body, "x-forwarded-proto"), ["https"]);
    assert_eq!(received(&answer.body, "host"), [format!("app.example.com:{port}")]);
    assert_eq!(received(&answer.body, "x-forwarded-for"), ["127.0.0.1, 127.0.0.1"]);
    // nginx passes on what the client says of its address, and the gateway does not.
    let forged = ["x-real-ip", "true-client-ip", "cf-connecting-ip", "x-client-ip", "front-end-https"];
    let request = client.get(format!("{origin}/me")).header("x-forwarded-for", "9.9.9.9");
    let request = forged.iter().fold(request, |request, name| request.header(*name, "9.9.9.9"));
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert!(answer.status == 200 && !answer.body.contains("9.9.9.9"), "{}", answer.body);
    // Another host is refused.
    assert_eq!(get(&client, &format!("https://other.example.com:{port}/me")).await.status, 421);
    // Events pass nginx one by one, and a large upload is not kept there.
    let mut events = client.get(format!("{origin}/events?ms=200&count=2")).send().await.unwrap();
    assert_eq!(events.chunk().await.unwrap().unwrap(), "data: 0\n\n");
    let upload = client.post(format!("{origin}/upload")).body(vec![b'x'; 8 << 20]).send().await.unwrap();
    assert_eq!(Answer::of(upload).await.json()["bytes"], 8 << 20);
    // The session cookie comes along, and nginx lets no question through.
    for path in QUESTIONS {
        let question = client.get(format!("{origin}{path}"));
        let question = ASKED.iter().fold(question, |question, (name, value)| question.header(*name, *value));
        let answer = Answer::of(question.send().await.unwrap()).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert_eq!(readable(&answer), [""; 0], "{path}");
    }
}

const QUESTIONS: [&str; 3] = ["/_auth/verdict", "/_auth/verdict/envoy", "/_auth/verdict/envoy/me"];
const ASKED: [(&str, &str); 2] = [("x-original-uri", "/me"), ("x-original-method", "GET")];

/// The headers with which a verdict tells secrets to a proxy. A script of a page could read them.
fn readable(answer: &Answer) -> Vec<String> {
    let names = answer.headers.keys().map(|name| name.as_str().to_owned());
    names.filter(|name| name.starts_with("x-set-cookie-") || name.starts_with("x-auth-")).collect()
}

/// All paths reach the gateway through a proxy that it trusts, so visitors could ask about themselves.
#[tokio::test]
async fn gateway_in_front_of_an_app_answers_no_questions_of_visitors() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let gateway = Running::start(&config(&auth, &app, "trusted_proxies = [\"127.0.0.1\"]", ""));
    let browser = gateway.signed_in("demo").await;
    for path in QUESTIONS {
        let answer = browser.get_with(path, &ASKED).await;
        assert_eq!(readable(&answer), [""; 0], "{path}");
        assert_eq!(answer.json()["url"], path, "it is a path of the app");
    }
    // With `verdict.path` in the file, the questions are answered there.
    let table = "[verdict]\npath = \"/internal/verdict\"\n";
    let gateway = Running::start(&config(&auth, &app, "trusted_proxies = [\"127.0.0.1\"]", table));
    let answer = gateway.signed_in("demo").await.get_with("/internal/verdict", &ASKED).await;
    assert!(answer.status == 200 && !readable(&answer).is_empty(), "{answer:?}");
}

/// Without `[app]`, the gateway has the sign-in routes and the verdict endpoint. nginx is that of the example `verdict`.
#[tokio::test]
async fn gateway_without_an_app_answers_the_questions_of_nginx() {
    let ((_auth, auth), (_app, app)) = (authjs(), app());
    let port = free_port();
    let with_app = config(&auth, &app, "trusted_proxies = [\"127.0.0.1\"]", "");
    let (without_app, _) = with_app.split_once("[app]").unwrap();
    let gateway = Running::start(without_app);
    let example = include_str!("../../../examples/verdict/nginx.conf");
    let (_, http) = example.split_once("    # The example `verdict`.").unwrap();
    let http = http.trim_end().strip_suffix('}').unwrap();
    let http = http
        .replace("127.0.0.1:3000", &gateway.addr.to_string())
        .replace("127.0.0.1:8080", app.trim_start_matches("http://"))
        .replace("127.0.0.1:8000", &format!("127.0.0.1:{port}"));
    let _nginx = nginx(port, &http);
    let browser = auth_proxy_tests::Browser::at(&format!("http://localhost:{port}"));
    let forged = [("x-auth-subject", "admin"), ("x_auth_subject", "admin")];
    assert_eq!(browser.get_with("/me", &forged).await.status, 401);
    assert_eq!(browser.sign_in("demo", "demo").await.status, 302);
    let answer = browser.get_with("/me", &forged).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(received(&answer.body, "x-auth-subject"), ["1"]);
    assert!(!answer.body.contains("admin"), "{}", answer.body);
    // The gateway itself has no app, and answers no question of another peer.
    assert_eq!(gateway.browser().get("/me").await.status, 404);
    let without_proxies = Running::start(&without_app.replace("trusted_proxies = [\"127.0.0.1\"]", ""));
    let asked = [("x-original-uri", "/me"), ("x-original-method", "GET")];
    assert_eq!(without_proxies.browser().get_with("/_auth/verdict", &asked).await.code(), "proxy_untrusted");
}
