use std::marker::PhantomData;

use auth_proxy::{Policy, Session, Token, auth_proxy, require_session};

auth_proxy! {
    struct Auth { upstream: { base_url: "http://auth" } }
}

struct Gate<F, B>(PhantomData<(F, B)>);

impl<F: 'static, B: 'static> Policy<Auth> for Gate<F, B> {
    fn allow(_: &Session<Auth>, _: Option<&Token<Auth>>) -> bool {
        true
    }
}

/// The `>` of `->` does not close the angle bracket: the comma after it is part of the type.
#[require_session(Auth, Gate<fn() -> u8, u16>)]
async fn page() -> &'static str {
    "ok"
}

fn main() {
    let _: axum::Router<Auth> = axum::Router::new().route("/", axum::routing::get(page));
}
