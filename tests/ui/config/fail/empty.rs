use auth_proxy::auth_proxy;

auth_proxy! {}

fn main() {}
