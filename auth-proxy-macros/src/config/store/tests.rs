//! The messages about `session.store`: what to write, and that none repeats a password.

use super::super::{parse, validate};
use crate::errors::Errors;

/// The mistakes of a block with this value of `session.store`, besides that the feature is not enabled.
fn mistakes(session: &str) -> Vec<String> {
    let block = format!(
        "(krate) struct Auth {{ upstream: {{ base_url: \"http://auth\" }}, session: {{ {session} }} }}"
    );
    let mut errors = Errors::default();
    if let Some(declaration) = parse::declaration(block.parse().unwrap(), &mut errors) {
        validate::check(&declaration, &mut errors);
    }
    let mut messages = errors.messages();
    messages.retain(|message| cfg!(feature = "redis") || !message.contains("not compiled in"));
    messages
}

fn mistakes_of_store(value: &str) -> Vec<String> {
    mistakes(&format!("cache: 30s, store: {value}"))
}

#[test]
fn addresses_are_accepted() {
    for value in [
        "redis(env(\"REDIS_URL\"))",
        "redis(env(\"REDIS_URL\", optional))",
        "redis(env(\"REDIS_URL\", default = \"redis://127.0.0.1:6379\"))",
        "redis(env(\"REDIS_URL\"),)",
        "redis(\"rediss://user@cache.internal:6380/2\")",
        "redis(\"redis+sentinel://a:26379,b:26379/main/1\",)",
        "redis(\"redis+cluster://[::1]:7000,b:7001\")",
        "redis(\"unix:///run/redis.sock\")",
    ] {
        assert_eq!(mistakes_of_store(value), [""; 0], "{value}");
    }
}

#[test]
fn each_mistake_says_what_to_write() {
    for (value, expected) in [
        ("redis", "write `redis(env(\"REDIS_URL\"))`"),
        ("redis()", "write `redis(env(\"REDIS_URL\"))`"),
        ("valkey", "write `redis(env(\"REDIS_URL\"))`"),
        ("valkey(env(\"VALKEY_URL\"))", "write `redis(env(\"VALKEY_URL\"))`"),
        ("valkey(\"redis://cache\")", "write `redis(\"redis://cache\")`"),
        ("memory", "remove `store`"),
        ("memcached(env(\"URL\"))", "expected `redis(env(\"REDIS_URL\"))`"),
        ("env(\"CACHE_URL\")", "write `redis(env(\"CACHE_URL\"))`"),
        ("env(\"CACHE_URL\", optional)", "write `redis(env(\"CACHE_URL\", optional))`"),
        ("std::env::var(\"CACHE_URL\").unwrap()", "write `redis(env(\"CACHE_URL\"))`"),
        ("redis(std::env::var(\"CACHE_URL\").unwrap())", "write `redis(env(\"CACHE_URL\"))`"),
        ("redis(process.env.CACHE_URL)", "write `redis(env(\"CACHE_URL\"))`"),
        ("\"redis://cache:6379\"", "write `redis(\"redis://cache:6379\")`"),
        ("redis(\"redis://cache\", tls)", "expected nothing behind the address"),
        ("redis(env(\"REDIS_URL\"), tls)", "expected nothing behind the address"),
        ("redis(url(\"redis://cache\"))", "expected the address of Redis"),
        ("redis(\"http://cache:6379\")", "expected `redis://host:port`"),
        ("redis(\"redis://cache:six\")", "the port"),
        ("redis(\"redis://a:1,b:2\")", "several hosts"),
        ("redis(\"redis+sentinel://a:1\")", "service"),
        ("redis(env(\"REDIS_URL\", default = \"redis://cache:six\"))", "the port"),
    ] {
        let messages = mistakes_of_store(value);
        assert_eq!(messages.len(), 1, "{value}: {messages:?}");
        assert!(messages[0].contains(expected), "{value}: {messages:?}");
    }
}

#[test]
fn password_in_source_is_refused_and_not_repeated() {
    for value in [
        "redis(\"redis://:hunter2@cache:6379\")",
        "redis(\"redis://user:hunter2@cache:6379\")",
        "redis(\"redis://:hun/hunter2@cache\")",
        "redis(\"redis://:hun@hunter2@cache\")",
        "redis(\"redis+sentinel://u:hunter2@a:1,b:2/main\")",
        "redis(\"http://:hunter2@cache\")",
        "redis(env(\"REDIS_URL\", default = \"redis://:hunter2@cache\"))",
        "valkey(\"redis://:hunter2@cache\")",
        "valkey(env(\"REDIS_URL\", default = \"redis://:hunter2@cache\"))",
        "env(\"REDIS_URL\", default = \"redis://:hunter2@cache\")",
        "std::env::var(\"REDIS_URL\").unwrap_or(\"redis://:hunter2@cache\")",
        "redis(process.env.REDIS_URL ?? \"redis://:hunter2@cache\")",
        "redis(url(\"redis://:hunter2@cache\"))",
        "\"redis://:hunter2@cache\"",
        "\"redis://cache?password=hunter2\"",
        "redis(\"unix:///run/redis.sock?pass=hunter2\")",
    ] {
        let messages = mistakes_of_store(value);
        assert_eq!(messages.len(), 1, "{value}: {messages:?}");
        assert!(!messages[0].contains("hunter2"), "{messages:?}");
        if value.contains('@') {
            assert!(messages[0].contains("secrets do not belong in source"), "{value}: {messages:?}");
        }
    }
}

/// The address of a variable is not known, but whether there is something to store is.
#[test]
fn store_without_a_cache_is_a_mistake_also_with_a_variable() {
    for store in
        ["redis(\"redis://cache\")", "redis(env(\"REDIS_URL\"))", "redis(env(\"REDIS_URL\", optional))"]
    {
        for cache in ["", "cache: off,"] {
            let messages = mistakes(&format!("{cache} store: {store}"));
            assert_eq!(messages.len(), 1, "{store}: {messages:?}");
            assert!(messages[0].contains("there is nothing to store"), "{messages:?}");
        }
        for known_at_start in ["cache: env(\"CACHE\"),", "revocation: env(\"REVOCATION\"),"] {
            assert_eq!(mistakes(&format!("{known_at_start} store: {store}")), [""; 0], "{store}");
        }
    }
}
