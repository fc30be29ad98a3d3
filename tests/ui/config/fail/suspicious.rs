//! Values that are allowed and probably not meant are warnings, which this attribute turns into errors.
#![deny(deprecated)]

use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        public_url: "https://app.example.com",
        upstream: {
            base_url: "https://auth.example.com",
            allow_http: true,
            secret: env("AUTH_SECRET"),
            headers: { "x-api-key": env("AUTH_SECRET") },
        },
        session: { expose_session_token: true },
        rewrite: { cookie_secure: false, cookie_prefix: true },
    }
}

auth_proxy! {
    pub struct Other {
        hosts: ["app.example.com", "localhost:3000"],
        upstream: { base_url: "http://auth" },
        session: { cache_entries: 100 },
        cors: { origins: ["http://www.example.com"] },
    }
}

auth_proxy! {
    pub struct Plain {
        public_url: "http://app.example.com",
        upstream: { base_url: "http://auth" },
    }
}

auth_proxy! {
    pub struct Listed {
        upstream: { base_url: "http://auth" },
        session: { revocation: store },
    }
}

auth_proxy! {
    pub struct Unlisted {
        upstream: { base_url: "http://auth" },
        session: { revocation_unavailable: refuse },
    }
}

fn main() {}

// first: 11:25 `true`
