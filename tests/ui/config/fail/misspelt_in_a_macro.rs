use auth_proxy::auth_proxy;

macro_rules! login {
    ($word:ident) => {
        auth_proxy! {
            pub struct Auth {
                upstream: { base_url: "http://auth", timout: 5s, session_strategy: $word },
            }
        }
    };
}

login! { databse }

fn main() {}

// first: 7:54 `timout`
