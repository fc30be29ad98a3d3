use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        basepath: "/a",
        foobar: 1,
        upstream: { base_ulr: "http://auth", base_url: "http://auth" },
    }
}

fn main() {}

// first: 6:9 `foobar`
// advice: none: `foobar` is like no option
