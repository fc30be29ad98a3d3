use auth_proxy::auth_proxy;

auth_proxy! {
    upstream: { base_url: "http://auth" }
}

fn main() {}
