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

// first: wrong: rustc speaks of const operations, which are not in the program
// advice: none: an attribute on a function does not see the parameters of the impl
