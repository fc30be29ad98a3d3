use auth_proxy::require_session;

#[require_session]
async fn page() -> &'static str {
    "ok"
}

fn main() {}

// first: 3:1 `#[require_session]`
// advice: rustc: a name that is not in scope
