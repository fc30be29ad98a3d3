//! The transcripts that the fake server of `testing` is compared with.

use auth_proxy_tests::transcript;
use serde_json::{Value, json};

use crate::server::BetterAuthServer;

/// The transcripts are those of 1.7. Version 1.6 believes the cookie cache of another session, and clears fewer cookies.
#[tokio::test]
async fn transcripts_are_those_of_a_real_server() {
    for text in [transcript::PLAIN, transcript::CACHED, transcript::SLIDING] {
        let transcript: Value = serde_json::from_str(text).unwrap();
        check(&transcript, transcript["real"].clone()).await;
    }
}

#[tokio::test]
async fn transcript_of_a_cookie_cache_is_the_same_in_every_format() {
    let transcript: Value = serde_json::from_str(transcript::CACHED).unwrap();
    for strategy in ["jwt", "jwe"] {
        check(&transcript, json!({ "cookieCache": { "strategy": strategy } })).await;
    }
}

async fn check(transcript: &Value, mut options: Value) {
    // A signature in the transcripts is made with this secret.
    options["secret"] = json!("h1-test-secret-0123456789abcdefghijklmnopqrstuv");
    let server = BetterAuthServer::start(options);
    let (_, wrong) =
        transcript::replay(server.url(), transcript, async |is_up| server.database(is_up).await).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
