//! Tests of token families.

use std::collections::HashSet;

use auth_proxy_rules::{Draft, OptionKey};
use http::HeaderMap;

use super::*;
use crate::session::key::Keys;

fn key(token: &str) -> SessionKey {
    let mut draft = Draft::default();
    draft.set(OptionKey::BaseUrl, "http://auth.internal").unwrap();
    // Of the last digit of a token only some bits count, so it is the same in all of these.
    Keys::new(&draft.resolve().unwrap(), &HeaderMap::new()).unwrap().session(&format!("{token}AAAA"))
}

#[tokio::test(start_paused = true)]
async fn ending_any_token_of_a_session_ends_all_of_them() {
    for by in ["a", "b", "c"] {
        let families = TokenFamilies::default();
        let first = families.snapshot(key("a"));
        families.add_renewed(&first, key("b"));
        let second = families.snapshot(key("b"));
        families.add_renewed(&second, key("c"));
        let other = families.snapshot(key("other"));
        assert!(first.may_relay() && second.may_relay());
        assert_eq!(
            HashSet::from_iter(families.end(key(by), End::Changed)),
            HashSet::from([key("a"), key("b"), key("c")])
        );
        assert!(!first.is_current() && !second.is_current() && other.may_relay(), "{by}");
    }
}

#[tokio::test(start_paused = true)]
async fn request_after_a_sign_out_relays_no_cookies_for_two_minutes() {
    let families = TokenFamilies::default();
    drop(families.snapshot(key("a")));
    families.end(key("a"), End::Changed);
    let late = families.snapshot(key("a"));
    assert!(late.is_current() && !late.may_relay());
    tokio::time::advance(REMEMBERED_FOR + Duration::from_secs(1)).await;
    // With database sessions the token stays the same after a change, so relaying must resume.
    assert!(late.may_relay());
    assert!(families.snapshot(key("a")).may_relay());
}

#[tokio::test(start_paused = true)]
async fn requested_change_does_not_stop_relaying() {
    let families = TokenFamilies::default();
    let snapshot = families.snapshot(key("a"));
    families.end(key("a"), End::Requested);
    assert!(!snapshot.is_current() && !snapshot.was_changed());
    // The upstream may refuse one form and accept the next. The response to the accepted form sets the cookie.
    assert!(families.snapshot(key("a")).may_relay());
    families.end(key("a"), End::Changed);
    assert!(snapshot.was_changed());
}

#[tokio::test(start_paused = true)]
async fn linked_sessions_end_together() {
    let families = TokenFamilies::default();
    let (a, b) = (families.snapshot(key("a")), families.snapshot(key("b")));
    families.add_renewed(&a, key("b"));
    families.end(key("a"), End::Changed);
    assert!(!a.is_current() && !b.is_current());
}

#[tokio::test(start_paused = true)]
async fn token_that_a_slow_response_gives_the_browser_is_the_newest() {
    let families = TokenFamilies::default();
    let first = families.snapshot(key("a"));
    families.add_renewed(&first, key("slow"));
    for n in 0..MAX_TOKENS {
        families.add_renewed(&first, key(&format!("quick {n}")));
        families.add_renewed(&first, key("slow"));
    }
    families.end(key("slow"), End::Changed);
    assert!(!first.is_current());
}

#[tokio::test(start_paused = true)]
async fn one_end_reaches_a_bounded_number_of_sessions() {
    let families = TokenFamilies::default();
    let first = families.snapshot(key("a"));
    for n in 0..4 {
        families.add_renewed(&first, key(&format!("a {n}")));
    }
    families.end(key("a"), End::Changed);
    assert_eq!(families.state().ended.len(), 1);

    // A client sends its token together with made-up tokens, each of which is a session of its own.
    for n in 0..1000 {
        families.add_renewed(&families.snapshot(key(&format!("made up {n}"))), key("shared"));
    }
    assert!(families.end(key("shared"), End::Changed).len() <= MAX_LINKED * MAX_TOKENS);
    assert!(families.state().ended.len() <= 1 + MAX_LINKED);
    assert!(!families.snapshot(key("shared")).may_relay());
}

#[tokio::test(start_paused = true)]
async fn refused_tokens_do_not_evict_remembered_sign_outs() {
    let families = TokenFamilies::default();
    families.end(key("a"), End::Changed);
    for n in 0..=MAX_REMEMBERED {
        families.end(key(&format!("dead {n}")), End::Refused);
    }
    assert!(!families.snapshot(key("a")).may_relay());
}

#[tokio::test(start_paused = true)]
async fn number_of_remembered_sessions_is_bounded() {
    let families = TokenFamilies::default();
    for n in 0..MAX_REMEMBERED + 5000 {
        families.end(key(&format!("{n}")), End::Changed);
        drop(families.snapshot(key(&format!("seen {n}"))));
    }
    let snapshot = families.snapshot(key("long"));
    for n in 0..1000 {
        families.add_renewed(&snapshot, key(&format!("long {n}")));
    }
    let state = families.state();
    assert!(
        state.ended.len() <= MAX_REMEMBERED
            && state.renewed.len() <= MAX_REMEMBERED
            && state.by_key.len() <= 3 * MAX_REMEMBERED
    );
    assert!(snapshot.family.inner().tokens().count() <= MAX_TOKENS);
}

/// One visitor's renewals and sign-outs, however many, take one place each.
#[tokio::test(start_paused = true)]
async fn busy_session_does_not_evict_other_sessions() {
    let families = TokenFamilies::default();
    families.add_renewed(&families.snapshot(key("a")), key("b"));
    families.end(key("c"), End::Changed);
    tokio::time::advance(Duration::from_secs(1)).await;
    let mut busy = families.snapshot(key("busy"));
    for n in 0..=MAX_REMEMBERED {
        let next = key(&format!("busy {n}"));
        families.add_renewed(&busy, next);
        busy = families.snapshot(next);
        families.end(key("d"), End::Requested);
    }
    families.end(key("b"), End::Changed);
    assert!(!families.snapshot(key("a")).may_relay(), "the renewal was forgotten");
    assert!(!families.snapshot(key("c")).may_relay(), "the sign-out was forgotten");
}

/// A session that is renewed again and again is remembered from its last renewal on.
#[tokio::test(start_paused = true)]
async fn renewed_session_is_remembered_from_its_last_renewal_on() {
    let families = TokenFamilies::default();
    let first = families.snapshot(key("a"));
    for n in 0..5 {
        tokio::time::advance(REMEMBERED_FOR / 2).await;
        families.add_renewed(&first, key(&format!("a {n}")));
        families.add_renewed(&families.snapshot(key(&format!("other {n}"))), key(&format!("another {n}")));
    }
    drop(first);
    families.end(key("a 4"), End::Changed);
    assert!(!families.snapshot(key("a")).may_relay());
    assert!(families.state().renewed.len() <= 4, "sessions that are too old are still remembered");
}
