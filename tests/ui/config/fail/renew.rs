use auth_proxy::auth_proxy;

auth_proxy! {
    struct Quoted {
        upstream: { base_url: "http://auth" },
        session: { renew: "1h", expose_session_token: "true" },
    }
}

auth_proxy! {
    struct Never {
        upstream: { base_url: "http://auth" },
        session: { renew: never, expose_session_token: never },
    }
}

auth_proxy! {
    struct QuotedWord {
        upstream: { base_url: "http://auth" },
        session: { renew: "always", expose_session_token: 1 },
    }
}

auth_proxy! {
    struct Long {
        upstream: { base_url: "http://auth" },
        session: { renew: 1_000h },
    }
}

auth_proxy! {
    struct Days {
        upstream: { base_url: "http://auth" },
        session: { renew: 1d },
    }
}

auth_proxy! {
    struct Short {
        upstream: { base_url: "http://auth" },
        session: { cache: 1ms, recheck: 100ms },
    }
}

fn main() {}

// first: 6:27 `"1h"`
