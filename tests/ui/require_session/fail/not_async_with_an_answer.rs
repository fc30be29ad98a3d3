use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session]
fn text() -> &'static str {
    "ok"
}

#[require_session]
fn json() -> Result<String, ()> {
    Ok(String::new())
}

// A function that returns a future is accepted too.
#[require_session]
fn future() -> impl Future<Output = &'static str> {
    async { "ok" }
}

fn main() {}

// first: 8:4 `text`
