use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session]
enum Page {}

#[require_session]
type Name = String;

#[require_session]
pub use std::fmt;

#[require_session]
const LIMIT: usize = 1;

#[require_session]
static NAME: &str = "name";

#[require_session]
trait Pages {}

fn main() {}

// first: 8:1 `enum`
// advice: none: which functions are handlers is a choice
