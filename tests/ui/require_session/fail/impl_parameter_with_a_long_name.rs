use std::marker::PhantomData;

use auth_proxy::{Policy, auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

struct Pages<Rule>(PhantomData<Rule>);

impl<Rule: Policy<Auth>> Pages<Rule> {
    #[require_session(Auth, Rule)]
    async fn page() {}
}

fn main() {}
