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
async fn ending_by_any_token_ends_the_whole_session() {
    for by in ["a", "b", "c"] {
        let families = TokenFamilies::default();
        let first = families.generation(key("a"));
        families.renewed(&first, key("b"));
        let second = families.generation(key("b"));
        families.renewed(&second, key("c"));
        let other = families.generation(key("other"));
        assert!(first.may_relay() && second.may_relay());
        assert_eq!(
            HashSet::from_iter(families.end(key(by), End::Changed)),
            HashSet::from([key("a"), key("b"), key("c")])
        );
        assert!(!first.is_current() && !second.is_current() && other.may_relay(), "{by}");
    }
}

#[tokio::test(start_paused = true)]
async fn late_request_after_sign_out_relays_no_cookies() {
    let families = TokenFamilies::default();
    drop(families.generation(key("a")));
    families.end(key("a"), End::Changed);
    let late = families.generation(key("a"));
    assert!(late.is_current() && !late.may_relay());
    tokio::time::advance(KEPT_FOR + Duration::from_secs(1)).await;
    // A database session keeps its token after an update.
    assert!(late.may_relay());
    assert!(families.generation(key("a")).may_relay());
}

#[tokio::test(start_paused = true)]
async fn refused_form_does_not_block_cookies_of_the_next_form() {
    let families = TokenFamilies::default();
    let generation = families.generation(key("a"));
    families.end(key("a"), End::Begun);
    assert!(!generation.is_current() && !generation.was_changed());
    // The upstream refused the first form, and accepts a second one, whose response has the valid cookie.
    assert!(families.generation(key("a")).may_relay());
    families.end(key("a"), End::Changed);
    assert!(generation.was_changed());
}

#[tokio::test(start_paused = true)]
async fn session_linked_by_a_renewed_token_ends_too() {
    let families = TokenFamilies::default();
    let (a, b) = (families.generation(key("a")), families.generation(key("b")));
    families.renewed(&a, key("b"));
    families.end(key("a"), End::Changed);
    assert!(!a.is_current() && !b.is_current());
}

#[tokio::test(start_paused = true)]
async fn one_sign_out_ends_at_most_a_fixed_number_of_sessions() {
    let families = TokenFamilies::default();
    let first = families.generation(key("a"));
    for n in 0..4 {
        families.renewed(&first, key(&format!("a {n}")));
    }
    families.end(key("a"), End::Changed);
    assert_eq!(families.state().ended.len(), 1);

    // A client sends its token together with invented tokens. Each of these is a session of its own.
    for n in 0..1000 {
        families.renewed(&families.generation(key(&format!("made up {n}"))), key("shared"));
    }
    assert!(families.end(key("shared"), End::Changed).len() <= MOST_LINKED * MOST_TOKENS);
    assert!(families.state().ended.len() <= 1 + MOST_LINKED);
    assert!(!families.generation(key("shared")).may_relay());
}

#[tokio::test(start_paused = true)]
async fn refused_tokens_evict_no_ended_session() {
    let families = TokenFamilies::default();
    families.end(key("a"), End::Changed);
    for n in 0..=MOST_KEPT {
        families.end(key(&format!("dead {n}")), End::Refused);
    }
    assert!(!families.generation(key("a")).may_relay());
}

#[tokio::test(start_paused = true)]
async fn number_of_remembered_sessions_is_bounded() {
    let families = TokenFamilies::default();
    for n in 0..MOST_KEPT + 5000 {
        families.end(key(&format!("{n}")), End::Changed);
        drop(families.generation(key(&format!("seen {n}"))));
    }
    let generation = families.generation(key("long"));
    for n in 0..1000 {
        families.renewed(&generation, key(&format!("long {n}")));
    }
    let state = families.state();
    assert!(
        state.ended.len() <= MOST_KEPT
            && state.renewed.len() <= MOST_KEPT
            && state.by_key.len() <= 3 * MOST_KEPT
    );
    assert!(generation.family.inner().keys.len() <= MOST_TOKENS);
}
