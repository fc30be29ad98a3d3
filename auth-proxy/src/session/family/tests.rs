//! Tests of token families.

use std::collections::HashSet;

use auth_proxy_rules::{Draft, OptionKey};
use http::HeaderMap;

use super::*;
use crate::session::key::Keys;

fn key(token: &str) -> SessionKey {
    let mut draft = Draft::default();
    draft.set(OptionKey::BaseUrl, "http://auth.internal").unwrap();
    Keys::new(&draft.resolve().unwrap(), &HeaderMap::new()).session(token)
}

#[tokio::test(start_paused = true)]
async fn session_ends_by_each_of_its_tokens() {
    for by in ["a", "b", "c"] {
        let families = TokenFamilies::default();
        let first = families.of(key("a"));
        families.renewed(&first, key("b"));
        let second = families.of(key("b"));
        families.renewed(&second, key("c"));
        let other = families.of(key("other"));
        assert!(first.may_relay() && second.may_relay());
        assert_eq!(
            HashSet::from_iter(families.end(key(by), End::Changed)),
            HashSet::from([key("a"), key("b"), key("c")])
        );
        assert!(!first.is_current() && !second.is_current() && other.may_relay(), "{by}");
    }
}

#[tokio::test(start_paused = true)]
async fn late_request_finds_the_session_ended() {
    let families = TokenFamilies::default();
    drop(families.of(key("a")));
    families.end(key("a"), End::Changed);
    let late = families.of(key("a"));
    assert!(late.is_current() && !late.may_relay());
    tokio::time::advance(KEPT_FOR + Duration::from_secs(1)).await;
    // A database session goes on with the same token after a change.
    assert!(late.may_relay());
    assert!(families.of(key("a")).may_relay());
}

#[tokio::test(start_paused = true)]
async fn unanswered_change_does_not_stop_relaying() {
    let families = TokenFamilies::default();
    let ticket = families.of(key("a"));
    families.end(key("a"), End::Begun);
    assert!(!ticket.is_current() && !ticket.was_changed());
    // A form that the upstream refused, and then one that it takes: the answer to that has the cookie that counts.
    assert!(families.of(key("a")).may_relay());
    families.end(key("a"), End::Changed);
    assert!(ticket.was_changed());
}

#[tokio::test(start_paused = true)]
async fn linked_sessions_end_together() {
    let families = TokenFamilies::default();
    let (a, b) = (families.of(key("a")), families.of(key("b")));
    families.renewed(&a, key("b"));
    families.end(key("a"), End::Changed);
    assert!(!a.is_current() && !b.is_current());
}

#[tokio::test(start_paused = true)]
async fn one_end_reaches_a_bounded_number_of_sessions() {
    let families = TokenFamilies::default();
    let first = families.of(key("a"));
    for n in 0..4 {
        families.renewed(&first, key(&format!("a {n}")));
    }
    families.end(key("a"), End::Changed);
    assert_eq!(families.state().ended.len(), 1);

    // A client sends its token beside made up ones, each of which is a session of its own.
    for n in 0..1000 {
        families.renewed(&families.of(key(&format!("made up {n}"))), key("shared"));
    }
    assert!(families.end(key("shared"), End::Changed).len() <= MOST_LINKED * MOST_TOKENS);
    assert!(families.state().ended.len() <= 1 + MOST_LINKED);
    assert!(!families.of(key("shared")).may_relay());
}

#[tokio::test(start_paused = true)]
async fn refused_tokens_evict_no_sign_out() {
    let families = TokenFamilies::default();
    families.end(key("a"), End::Changed);
    for n in 0..=MOST_KEPT {
        families.end(key(&format!("dead {n}")), End::Refused);
    }
    assert!(!families.of(key("a")).may_relay());
}

#[tokio::test(start_paused = true)]
async fn kept_sessions_are_bounded() {
    let families = TokenFamilies::default();
    for n in 0..MOST_KEPT + 5000 {
        families.end(key(&format!("{n}")), End::Changed);
        drop(families.of(key(&format!("seen {n}"))));
    }
    let ticket = families.of(key("long"));
    for n in 0..1000 {
        families.renewed(&ticket, key(&format!("long {n}")));
    }
    let state = families.state();
    assert!(
        state.ended.len() <= MOST_KEPT
            && state.renewed.len() <= MOST_KEPT
            && state.by_key.len() <= 3 * MOST_KEPT
    );
    assert!(ticket.family.inner().keys.len() <= MOST_TOKENS);
}
