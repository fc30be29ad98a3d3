use auth_proxy::auth_proxy;

auth_proxy! {
    struct Path {
        upstream: { base_url: "http://auth", public_origins: ["https://a/b"] },
    }
}

auth_proxy! {
    struct Everybody {
        upstream: { base_url: "http://auth", public_origins: ["*"] },
    }
}

auth_proxy! {
    struct Host {
        upstream: { base_url: "http://auth", public_origins: ["auth.example.com"] },
    }
}

auth_proxy! {
    struct NoList {
        upstream: { base_url: "http://auth", public_origins: "https://auth.example.com" },
    }
}

fn main() {}

// first: 5:63 `"https://a/b"`
// advice: none: only the user knows the origins that `*` stands for
