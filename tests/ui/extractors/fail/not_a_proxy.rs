use auth_proxy::Session;

struct NotAProxy;

async fn handler(_session: Session<NotAProxy>) {}

fn main() {
    let _ = handler;
}

// first: 5:28 `Session<NotAProxy>`
// advice: none: whether to declare it or to name another type is a choice
