use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth", timeout: 1s, connect_timeout: 2s },
    }
}

fn main() {}

// first: 5:76 `2s`
// advice: none: which of the two durations changes is a choice
