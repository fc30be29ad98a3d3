//! `session.store` from a variable and from the builder: the messages, and that none shows the address.

use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth {
        upstream: { base_url: "http://auth.internal" },
        session: { cache: env("SESSION_CACHE", default = "off"), store: redis(env("SESSION_STORE", optional)) },
    }
}

fn error(vars: &[(&str, &str)]) -> String {
    let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Auth::builder().vars(vars).build().err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn address_of_a_store_is_checked_at_start_and_never_shown() {
    assert_eq!(error(&[]), "");
    assert_eq!(
        error(&[("SESSION_CACHE", "30s"), ("SESSION_STORE", "redis://:hunter2@localhost:6379/0")]),
        ""
    );
    for (url, expected) in [
        ("http://:hunter2@localhost", "expected `redis://host:port`"),
        ("redis://:hunter2@localhost:six", "port"),
        ("redis+sentinel://:hunter2@localhost:1", "service"),
        ("redis://:hunter2@localhost/two", "database"),
    ] {
        let message = error(&[("SESSION_CACHE", "30s"), ("SESSION_STORE", url)]);
        assert!(message.contains(expected) && message.contains("session.store"), "{url}: {message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    let message = error(&[("SESSION_STORE", "redis://localhost")]);
    assert!(message.contains("there is nothing to store"), "{message}");
    assert!(message.contains("SESSION_STORE (session.store)"), "{message}");
    assert!(message.contains("SESSION_CACHE sets `session.cache`"), "{message}");
}

/// The rules check an address at compile time, the store checks it at start: what one accepts, the other does too.
#[test]
fn rules_and_store_accept_the_same_addresses() {
    use auth_proxy_redis::{Options, RedisStore};
    use auth_proxy_rules::{Draft, OptionKey};

    for (url, is_good) in [
        ("redis://h", true),
        ("redis://h/", true),
        ("redis://:p@[::1]:6379/2", true),
        ("redis://user:p:a@b@h", true),
        ("rediss://h", true),
        ("redis+sentinel://a,b:2/main/1", true),
        ("rediss+cluster://u:p@a:1,b:2", true),
        ("unix:///run/redis.sock", true),
        (" redis://h\n", true),
        ("", false),
        ("redis://", false),
        ("://h", false),
        ("memcached://h", false),
        ("unix://run", false),
        ("redis://h?db=1", false),
        ("redis://h:0", false),
        ("redis://h:6379x", false),
        ("redis://:p/w@h", false),
        ("redis://::1", false),
        ("redis://a,b", false),
        ("redis://h/zero", false),
        ("redis+sentinel://a:1", false),
        ("redis+sentinel://a,A:26379/main", false),
        ("redis+cluster://a:1/0", false),
    ] {
        let by_rules = Draft::default().set(OptionKey::Store, url).is_ok();
        let by_store = RedisStore::new(Options::new(url), |_| {}).is_ok();
        assert_eq!((by_rules, by_store), (is_good, is_good), "{url}");
    }
}

#[test]
fn builder_takes_an_address_too() {
    let message = Auth::builder().session_store_url("memcached://hunter2").build().unwrap_err().to_string();
    assert!(message.contains("redis://host:port") && !message.contains("hunter2"), "{message}");
    let cache = std::time::Duration::from_secs(30);
    let auth = Auth::builder().session_cache(cache).session_store_url("redis://:hunter2@localhost").build();
    let shown = format!(
        "{:?} {:?}",
        auth.as_ref().unwrap().config(),
        Auth::builder().session_store_url("redis://:hunter2@h")
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}

/// One start of the program shows each mistake.
#[test]
fn missing_store_of_the_list_is_reported_beside_other_mistakes() {
    auth_proxy! {
        struct Listed {
            upstream: { base_url: env("AUTH_UPSTREAM_URL"), secret: env("AUTH_SECRET") },
            session: { revocation: env("REVOCATION"), store: redis(env("SESSION_STORE", optional)) },
        }
    }
    auth_proxy! {
        struct Literal {
            upstream: { base_url: "http://auth.internal", secret: env("AUTH_SECRET") },
            session: { revocation: store },
        }
    }
    let secret = ("AUTH_SECRET", "a secret of session tokens, 32 bytes");
    let message = Listed::builder().vars([("REVOCATION", "store"), secret]).build().unwrap_err().to_string();
    for part in [
        "AUTH_UPSTREAM_URL (upstream.base_url): not set",
        "REVOCATION (session.revocation)",
        "write `session: { store: redis(env(\"REDIS_URL\")) }`",
        "SESSION_STORE sets `session.store`",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let message = Literal::builder().vars([secret]).build().unwrap_err().to_string();
    assert!(message.contains("session.revocation: the list is kept in a store"), "{message}");
    let without = auth_proxy_tests::SharedStore::default();
    let message = Literal::builder().vars([secret]).session_store(without).build().unwrap_err().to_string();
    assert!(message.contains("keeps no revoked tokens"), "{message}");
    let with = auth_proxy_tests::SharedStore::telling_ends();
    assert!(Literal::builder().vars([secret]).session_store(with).build().is_ok());
    // A store in a variable that is missing is one mistake, not two.
    let message =
        Listed::builder().vars([("REVOCATION", "store"), secret, ("SESSION_STORE", "redis://localhost")]);
    let message = message.build().unwrap_err().to_string();
    assert!(message.contains("has 1 problem"), "{message}");
}
