use auth_proxy::auth_proxy;

auth_proxy! {
    upstream: {
        baseUrl: "https://auth.myapp.com",
        secret: process.env.AUTH_SECRET,
        sessionStrategy: 'jwt',
        headers: { "x-api-key": `${process.env.AUTH_PROXY_KEY}` },
    }
}

fn main() {}

// first: wrong: rustc reads `'jwt'` before the macro does
