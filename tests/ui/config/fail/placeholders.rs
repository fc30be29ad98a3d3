use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        base_path: "/${BASE}",
        hosts: ["app.example.com", "$HOST"],
        upstream: {
            base_url: "${AUTH_URL}",
            cookie_name: "${COOKIE:-session}",
            audience: "app-${STAGE}",
            issuer: "process.env.ISSUER",
            host: env("UPSTREAM_HOST", default = "${HOST}"),
            headers: { "x-api-key": "${KEY}", "x-tenant": "env(TENANT)", "x-stage": "app-${STAGE}" },
        },
    }
}

fn main() {}

// first: 5:20 `"/${BASE}"`
