use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth {
        upstream: { base_url: "http://auth", audience: "any", issuer: "" },
    }
}

auth_proxy! {
    struct Words {
        upstream: { base_url: "http://auth", audience: my_app, issuer: ayn },
    }
}

auth_proxy! {
    struct Other {
        upstream: { base_url: "http://auth", audience: ["a", "b"], issuer: off },
    }
}

fn main() {}

// first: 5:56 `"any"`
// advice: none: only the user knows the audience and the issuer
