use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session]
async fn page() -> &'static str {
    let n: u32 = "not a number";
    "ok"
}

fn main() {}

// first: 9:18 `"not a number"`
// advice: rustc: the body is the user's
