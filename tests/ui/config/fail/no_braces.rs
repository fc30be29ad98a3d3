use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth;
}

fn main() {}

// first: 4:16 `Auth`
