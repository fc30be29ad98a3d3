use auth_proxy::auth_proxy;

auth_proxy! {
    upstream: { base_url: "http://auth" }
}

fn main() {}

// first: 4:5 `upstream`
