use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth {
        basePath: "/api/auth",
        upstream: {
            baseUrl: `https://${process.env.AUTH_HOST}/tenant`,
            headers: { "authorization": `Bearer ${process.env.AUTH_PROXY_KEY}` },
        },
    }
}

fn main() {}

// first: wrong: rustc reads the backtick before the macro does
