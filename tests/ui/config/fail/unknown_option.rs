use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        basepath: "/a",
        foobar: 1,
        upstream: { base_ulr: "http://auth", base_url: "http://auth" },
    }
}

fn main() {}
