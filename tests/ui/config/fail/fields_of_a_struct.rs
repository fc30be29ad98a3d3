use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        pub base_path: String,
        pub hosts: Vec<String>,
        upstream: {
            pub base_url: &'static str,
            pub(crate) cookie_name: String,
            timeout: Duration,
            allow_http: bool,
        },
    }
}

fn main() {}

// first: 5:9 `pub`
// advice: none: `bool` is no value: which of the two is a choice
