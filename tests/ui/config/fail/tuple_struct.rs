use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth(String);
}

fn main() {}

// first: 4:16 `Auth`
