use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth1 {
        upstream: { kind: robo.js, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth2 {
        upstream: { kind: @robojs/auth, base_url: "http://auth" },
    }
}

auth_proxy! {
    struct Auth3 {
        upstream: { kind: "Robo", base_url: "http://auth" },
    }
}

fn main() {}

// first: 5:27 `robo.js`
