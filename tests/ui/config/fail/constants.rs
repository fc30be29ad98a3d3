use auth_proxy::auth_proxy;

const UPSTREAM: &str = "http://auth";

mod config {
    pub const COOKIE: &str = "session";
}

auth_proxy! {
    pub struct Auth {
        upstream: {
            base_url: UPSTREAM,
            cookie_name: config::COOKIE,
            token: HS265,
            headers: { "x-tenant": TENANT },
        },
    }
}

fn main() {}

// first: 12:23 `UPSTREAM`
// advice: none: only the program knows the value of a constant
