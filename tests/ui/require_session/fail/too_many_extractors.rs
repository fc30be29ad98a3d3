use auth_proxy::{auth_proxy, require_session};

auth_proxy! {
    pub struct Auth { upstream: { base_url: "http://auth" } }
}

#[require_session]
async fn page(_a: String, _b: String, _c: String, _d: String, _e: String, _f: String, _g: String, _h: String, _i: String, _j: String, _k: String, _l: String, _m: String, _n: String, _o: String, _p: String) -> &'static str {
    "ok"
}

fn main() {}

// first: 8:10 `page`
// advice: none: which arguments go into a tuple is a choice
