//! The report as text, as JSON and as an error.

use auth_proxy::testing::FakeUpstream;
use serde_json::Value;

use super::{before, check};

const WRONG: &str = "wr0ng-9f8e7d6c5b4a39281706f5e4d3c2b1";

#[tokio::test]
async fn report_is_readable_as_text_and_as_json() {
    let upstream = FakeUpstream::builder().base_path("/auth").start().await.unwrap();
    let report = check(before(&upstream).upstream_secret([WRONG])).await;
    let text = report.to_string();
    let port = upstream.url().rsplit(':').next().unwrap();
    let expected = [
        &format!(
            "upstream: http://127.0.0.1:{port}/api/auth\nserver: Auth.js v5\ndeployment: front door\n\n"
        ),
        "error base_path_wrong: the login is below another path than `upstream.base_path`\n  seen:   ",
        "\n  change: write `upstream.base_path: \"/auth\"`\n\nerror secret_wrong: ",
        "\n\n2 errors, 0 warnings",
    ];
    let mut rest = text.as_str();
    for part in expected {
        let (_, after) = rest.split_once(part).unwrap_or_else(|| panic!("no {part:?} in {text}"));
        rest = after;
    }
    let json: Value = serde_json::to_value(&report).unwrap();
    assert_eq!(json["ok"], false);
    assert_eq!(json["server"], "Auth.js v5");
    assert_eq!(json["deployment"], "front_door");
    assert_eq!(json["findings"][0]["code"], "base_path_wrong");
    assert_eq!(json["findings"][0]["severity"], "error");
    assert_eq!(json["findings"][0]["change"], "write `upstream.base_path: \"/auth\"`");
    let keys: Vec<_> = json["findings"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["change", "code", "evidence", "severity", "summary"]);
    let unchecked = json["unchecked"].as_array().unwrap();
    assert_eq!((unchecked.len(), &unchecked[0]["check"]), (1, &Value::from("session_strategy")));
    assert!(unchecked[0]["reason"].as_str().unwrap().contains("only a sign-in shows"), "{json}");
}

#[tokio::test]
async fn required_check_is_an_error_only_with_errors() {
    let upstream = FakeUpstream::start().await.unwrap();
    let right = check(before(&upstream)).await;
    assert_eq!(right.to_string().lines().last(), Some("ok"));
    assert!(right.into_result().is_ok());
    let warning = check(before(&upstream).upstream_secret([WRONG, upstream.secret()])).await;
    assert_eq!(warning.into_result().unwrap().findings()[0].code(), "secret_outdated");
    let failed = check(before(&upstream).upstream_secret([WRONG])).await.into_result().unwrap_err();
    assert_eq!(failed.report().findings()[0].code(), "secret_wrong");
    // `fn main() -> Result<(), CheckFailed>` prints `Debug`.
    let (shown, debug) = (failed.to_string(), format!("{failed:?}"));
    assert_eq!(shown, debug);
    assert!(shown.starts_with("the check of the deployment failed\nupstream: "), "{shown}");
}
