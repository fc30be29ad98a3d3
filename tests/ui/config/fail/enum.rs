use auth_proxy::auth_proxy;

auth_proxy! {
    pub enum Auth {}
}

fn main() {}
