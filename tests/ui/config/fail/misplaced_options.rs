use auth_proxy::auth_proxy;

auth_proxy! {
    struct CookiePath {
        upstream: { base_url: "http://auth", cookie_path: false },
        session: { cookie_secure: true },
        cookie_prefix: false,
    }
}

auth_proxy! {
    struct BaseUrl {
        base_url: "http://auth",
        upstream: { kind: robo },
    }
}

auth_proxy! {
    struct Alias {
        upstream: { url: "http://auth", max_body_size: 5 },
    }
}

auth_proxy! {
    struct AliasElsewhere {
        url: "http://auth",
    }
}

auth_proxy! {
    struct OtherBlock {
        server: { base_url: "http://auth" },
    }
}

fn main() {}

auth_proxy! {
    struct AliasOfTheTopLevel {
        upstream: { base_url: "http://auth", allowed_hosts: ["app.example.com"] },
    }
}

// first: 5:46 `cookie_path`
// advice: none: `server` is like no option
