use auth_proxy::auth_proxy;

pub struct Auth {
    pub name: String,
}

auth_proxy! {
    pub struct Auth {
        upstream: { base_url: "http://auth" },
    }
}

fn main() {}

// first: 8:5 `pub struct Auth`
// advice: rustc: a name that is taken; the macro sees its own block only
