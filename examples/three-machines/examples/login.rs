//! A fake Auth.js server to try this example without a real one. Sign in as demo / demo.

use auth_proxy::options::SessionStrategy;
use auth_proxy::testing::FakeUpstream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let login = FakeUpstream::builder().strategy(SessionStrategy::Database).start().await?;
    println!("AUTH_UPSTREAM_URL={}", login.url());
    std::future::pending().await
}
