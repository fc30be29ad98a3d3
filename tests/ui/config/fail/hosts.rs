use auth_proxy::auth_proxy;

auth_proxy! {
    struct Scheme {
        hosts: ["https://a"],
        upstream: { base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Wildcard {
        hosts: ["*.example.com"],
        upstream: { base_url: "http://auth" },
    }
}

auth_proxy! {
    struct NoList {
        hosts: "app.example.com",
        upstream: { base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Path {
        hosts: ["app.example.com/login"],
        upstream: { base_url: "http://auth", hosts: ["a"] },
    }
}

fn main() {}

// first: 5:17 `"https://a"`
// advice: none: only the user knows the hosts that a wildcard stands for
