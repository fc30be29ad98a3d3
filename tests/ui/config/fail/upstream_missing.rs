use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path: "/api/auth",
    }
}

fn main() {}

// first: 4:16 `Auth`
