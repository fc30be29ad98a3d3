//! Every way in which the sign-in server or the app can fail: an outage is never a login and never a logout.

use std::time::{Duration, Instant};

use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::{Answer, Browser, clears_the_session, watch};

use crate::support::{Running, app, received};

/// Faults that leave an answer valid.
fn is_harmless(fault: Fault) -> bool {
    // The tokens of Auth.js need no database.
    matches!(
        fault,
        Fault::DatabaseDown | Fault::HugeHeader | Fault::MalformedCookies | Fault::Http10 | Fault::EarlyClose
    )
}

fn is_late(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::HangBeforeHead
            | Fault::HangWithinHead
            | Fault::EndlessHints
            | Fault::Trickle(_)
            | Fault::TrickleBody(_)
            | Fault::HangWithinBody
            | Fault::Delayed(_)
    )
}

fn file(auth: &str, app: &str, timeout: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\n[upstream]\nkind = \"authjs\"\nbase_url = \"{auth}\"\ntimeout = \"{timeout}\"\n\
         connect_timeout = \"100ms\"\nretries = \"off\"\n[app]\nurl = \"{app}\"\ntimeout = \"500ms\"\n[log]\nrequests = false\n"
    )
}

/// Repeats a request until it succeeds: the circuit breaker may be open for a moment.
async fn recovers(browser: &Browser, path: &str) -> Answer {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = browser.get(path).await;
        if answer.status < 500 {
            return answer;
        }
        assert!(Instant::now() < until, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_sign_in_server_sign_no_visitor_in_or_out() {
    watch::start();
    let (_app, app) = app();
    let mut wrong = Vec::new();
    for fault in Fault::ALL {
        let upstream = FakeUpstream::start().await.unwrap();
        let gateway =
            Running::start(&file(upstream.url(), &app, if is_late(*fault) { "500ms" } else { "20s" }));
        let browser = gateway.signed_in("demo").await;
        let healthy = browser.get("/me").await;
        let subject = received(&healthy.body, "x-auth-email");
        upstream.set_fault(Some(*fault)).await.unwrap();
        let answer = browser.get("/me").await;
        let page = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];
        let navigation = browser.get_with("/me", &page).await;
        let guest = gateway.browser().get("/me").await;
        let cleared = [&answer, &navigation]
            .iter()
            .any(|answer| answer.cookies().iter().any(|line| clears_the_session(line)));
        let is_right = if is_harmless(*fault) {
            answer.status == 200
                && received(&answer.body, "x-auth-email") == subject
                && navigation.status == 200
        } else {
            let is_outage = |answer: &Answer| {
                matches!(answer.status, 502..=504) && !answer.header("retry-after").is_empty()
            };
            is_outage(&answer) && is_outage(&navigation) && !answer.body.contains("\"url\"")
        };
        if !is_right || cleared || guest.status != 401 {
            wrong.push(format!("{fault:?}: {answer:?}, {navigation:?}, guest {guest:?}"));
        }
        upstream.set_fault(None).await.unwrap();
        let again = recovers(&browser, "/me").await;
        if again.status != 200 || received(&again.body, "x-auth-email") != subject {
            wrong.push(format!("{fault:?}, afterwards: {again:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_app_have_its_codes_and_change_no_session() {
    watch::start();
    let auth = FakeUpstream::start().await.unwrap();
    // As an app, it answers unknown paths with 400.
    let app = FakeUpstream::start().await.unwrap();
    let gateway = Running::start(&file(auth.url(), app.url(), "20s"));
    let browser = gateway.signed_in("demo").await;
    let healthy = browser.get("/app").await;
    assert_eq!(healthy.status, 400, "{healthy:?}");
    let mut wrong = Vec::new();
    for fault in Fault::ALL {
        app.set_fault(Some(*fault)).await.unwrap();
        let client = auth_proxy_tests::loopback_client();
        let cookie = crate::identity::cookie_of(&gateway).await;
        let response = client.get(gateway.url("/app")).header("cookie", &cookie).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let code = match tokio::time::timeout(Duration::from_secs(2), response.text()).await {
            Ok(Ok(text)) => serde_json::from_str::<serde_json::Value>(&text)
                .ok()
                .and_then(|body| Some(body["code"].as_str()?.to_owned()))
                .unwrap_or("complete".to_owned()),
            Ok(Err(_)) => "cut off".to_owned(),
            Err(_) => "goes on".to_owned(),
        };
        let expected: &[&str] = match fault {
            Fault::Refused => &["app_unreachable"],
            Fault::HangBeforeHead
            | Fault::HangWithinHead
            | Fault::EndlessHints
            | Fault::Trickle(_)
            | Fault::Delayed(_) => &["app_timeout"],
            Fault::ResetBeforeHead
            | Fault::CloseBeforeHead
            | Fault::ContentLengthNotANumber
            | Fault::ContentLengthTwice
            | Fault::ManyHeaders
            | Fault::Garbage => &["app_failed"],
            Fault::ResetWithinBody | Fault::TruncatedBody | Fault::TruncatedChunks => {
                &["cut off", "app_failed"]
            }
            Fault::HangWithinBody | Fault::TrickleBody(_) => &["goes on", "complete"],
            _ => &["complete", "cut off"],
        };
        let is_error = code.starts_with("app_");
        let status_fits = match code.as_str() {
            "app_unreachable" | "app_failed" => status == 502,
            "app_timeout" => status == 504,
            _ => status != 401 && status != 403,
        };
        if !expected.contains(&code.as_str())
            || !status_fits
            || (is_error && !headers.contains_key("retry-after"))
        {
            wrong.push(format!("{fault:?}: {status} {code}"));
        }
        app.set_fault(None).await.unwrap();
        // On a connection of its own: the gateway closes one that is idle for long, as it may be on a busy machine.
        let again =
            client.get(gateway.url("/app")).header("cookie", &cookie).header("connection", "close").send();
        let again = again.await.map(|answer| answer.status().as_u16());
        if !matches!(again, Ok(400)) {
            wrong.push(format!("{fault:?}, afterwards: {again:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
