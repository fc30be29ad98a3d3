use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path: "api",
        unauthenticated: "auto",
        upstream: {
            baseUrl: "http://auth",
            secret: "hunter2",
            headers: { "Host": "a" },
            timeout: 5,
            conect_timeout: 1s,
        },
        routes: strikt,
    }
}

fn main() {}

// first: 5:20 `"api"`
