//! `auth.health()` asks nothing, and readiness does not follow an outage.

use std::time::Duration;

use auth_proxy::doctor::{KeysHealth, StoreHealth, UpstreamHealth};
use auth_proxy::testing::{FakeUpstream, Fault};
use auth_proxy_tests::{SharedStore, free_port};
use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use serde_json::{Value, json};

use super::{Machines, before};

/// The headers of this visitor.
fn visitor(upstream: &FakeUpstream, name: &str) -> HeaderMap {
    [(COOKIE, upstream.cookie(&json!({ "sub": name, "name": name })).parse().unwrap())].into_iter().collect()
}

#[tokio::test]
async fn health_sends_no_request_and_tells_of_the_last_lookup() {
    let upstream = FakeUpstream::start().await.unwrap();
    let auth = before(&upstream).build().unwrap();
    for _ in 0..100 {
        assert!(auth.health().is_ready());
    }
    assert!(upstream.seen().is_empty());
    let fresh: Value = serde_json::to_value(auth.health()).unwrap();
    assert_eq!(
        fresh,
        json!({
            "ready": true, "degraded": [], "upstream": { "circuit": "closed", "failures": 0 },
            "last_lookup": null, "store": null, "keys": null,
        })
    );
    assert!(auth.session(&visitor(&upstream, "ada")).await.unwrap().is_some());
    assert_eq!(auth.health().last_lookup.map(|last| last.error), Some(None));
    upstream.set_fault(Some(Fault::Html)).await.unwrap();
    assert!(auth.session(&visitor(&upstream, "bob")).await.is_err());
    assert_eq!(auth.health().last_lookup.map(|last| last.error), Some(Some("upstream_invalid_response")));
    let seen = upstream.seen().len();
    drop(auth.health());
    assert_eq!(upstream.seen().len(), seen);
}

/// A token that no upstream is asked about is the visitor's mistake, and says nothing of the upstream.
#[tokio::test]
async fn invalid_token_is_no_lookup() {
    let upstream = FakeUpstream::start().await.unwrap();
    let auth = before(&upstream).build().unwrap();
    let headers = [(COOKIE, "authjs.session-token=not-a-token".parse().unwrap())].into_iter().collect();
    assert!(auth.session(&headers).await.is_err());
    assert_eq!(auth.health().last_lookup, None);
}

#[tokio::test]
async fn outage_opens_the_breaker_and_leaves_the_instance_ready() {
    let upstream = FakeUpstream::start().await.unwrap();
    let auth = before(&upstream).upstream_circuit_breaker(2).upstream_retries(0).build().unwrap();
    upstream.set_fault(Some(Fault::Refused)).await.unwrap();
    assert!(auth.session(&visitor(&upstream, "ada")).await.is_err());
    assert!(
        matches!(auth.health().upstream, UpstreamHealth::Closed { failures: 1, .. }),
        "{:?}",
        auth.health()
    );
    assert!(auth.session(&visitor(&upstream, "bob")).await.is_err());
    let health = auth.health();
    assert_eq!(health.degraded(), ["circuit_open"]);
    assert!(
        matches!(health.upstream, UpstreamHealth::Open { failures: 2, retry_in_seconds: 1, .. }),
        "{health:?}"
    );
    assert!(health.is_ready(), "an outage hits all instances, and public pages are served");
    assert_eq!(health.last_lookup.map(|last| last.error), Some(Some("upstream_unreachable")));
}

#[tokio::test]
async fn store_shows_its_last_call() {
    let upstream = FakeUpstream::start().await.unwrap();
    let store = SharedStore::default();
    let auth = before(&upstream)
        .session_cache(Duration::from_secs(30))
        .session_store(store.clone())
        .build()
        .unwrap();
    assert_eq!(auth.health().store, Some(StoreHealth::Unused));
    let _ = auth.session(&visitor(&upstream, "ada")).await;
    assert_eq!(auth.health().store, Some(StoreHealth::Works));
    store.go_down();
    let _ = auth.session(&visitor(&upstream, "bob")).await;
    let health = auth.health();
    assert_eq!((health.store, health.degraded()), (Some(StoreHealth::Failing), &["store_failing"][..]));
    assert!(health.is_ready());
}

/// An instance that refuses every token until it has the list of revoked ones gets no visitors until then. Later outages
/// of the store do not change that.
#[tokio::test]
async fn instance_without_the_list_of_revoked_tokens_is_not_ready_at_its_start() {
    use auth_proxy::options::{RevocationList, RevocationUnavailable};
    let upstream = FakeUpstream::start().await.unwrap();
    for (policy, starts_ready) in [
        (RevocationUnavailable::Refuse, false),
        (RevocationUnavailable::AskUpstream, true),
        (RevocationUnavailable::Allow, true),
    ] {
        let store = SharedStore::telling_ends();
        store.go_down();
        let auth = before(&upstream)
            .upstream_secret([upstream.secret()])
            .session_store(store.clone())
            .session_revocation(RevocationList::Store)
            .session_revocation_unavailable(policy)
            .build()
            .unwrap();
        assert_eq!(auth.health().is_ready(), starts_ready, "{policy:?}");
        assert_eq!(auth.health().degraded(), ["revocations_incomplete"], "{policy:?}");
        store.come_back();
        assert!(auth.health().degraded().is_empty(), "{policy:?}");
        assert!(auth.health().is_ready(), "{policy:?}");
        store.go_down();
        assert!(auth.health().is_ready(), "{policy:?}");
        assert_eq!(auth.health().degraded(), ["revocations_incomplete"], "{policy:?}");
    }
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_show() {
    let auth =
        Machines::builder().jwks_url(format!("http://127.0.0.1:{}/keys", free_port())).build().unwrap();
    assert_eq!(auth.health().keys, Some(KeysHealth::NotFetched));
    let mut headers = HeaderMap::new();
    let token = "eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    assert_eq!(auth.token(&headers).await.err().map(|error| error.code()), Some("keys_unavailable"));
    let health = auth.health();
    assert_eq!((health.keys, health.degraded()), (Some(KeysHealth::Unavailable), &["keys_unavailable"][..]));
    assert!(health.is_ready());
}
