use auth_proxy::auth_proxy;

auth_proxy! {}

fn main() {}

// first: 3:1 `auth_proxy! {}`
