use auth_proxy::Session;

struct NotAProxy;

async fn handler(_session: Session<NotAProxy>) {}

fn main() {
    let _ = handler;
}
