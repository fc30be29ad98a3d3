use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        client_js: TRUE,
        upstream: {
            base_url: "http://auth",
            kind: UpstreamKind::AuthJs,
            token: HS256,
            session_strategy: JWT,
            host: PRESERVE,
            allow_http: True,
            queue: OFF,
        },
        session: { source: auth_proxy::options::SessionSource::Upstream, cache: Off },
    }
}

fn main() {}

// first: 5:20 `TRUE`
