use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        basePath: "/api/auth",
        upstream: {
            baseUrl: "http://auth",
            cookieName: "a",
            sessionStrategy: jwt,
            base_url: "http://auth",
        },
    }
}

fn main() {}

// first: 4:16 `Auth`
