use auth_proxy::require_session;

#[require_session]
async fn page() -> &'static str {
    "ok"
}

fn main() {}
