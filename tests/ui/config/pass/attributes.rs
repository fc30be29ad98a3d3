#![deny(warnings)]

use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    #[cfg(any())]
    pub struct Absent { upstream: { base_url: "http://auth" } }
}

auth_proxy! {
    #[deprecated]
    pub struct Retired {
        /// A doc comment is accepted.
        upstream: { base_url: "http://auth" },
    }
}

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

// The body of the handler is a macro fragment.
macro_rules! handler {
    ($vis:vis $name:ident $body:block) => {
        #[require_session]
        $vis async fn $name() -> &'static str $body
    };
}

handler! { pub one { "1" } }
handler! { two { "2" } }

fn main() {
    let _: axum::Router<Auth> =
        axum::Router::new().route("/1", axum::routing::get(one)).route("/2", axum::routing::get(two));
}
