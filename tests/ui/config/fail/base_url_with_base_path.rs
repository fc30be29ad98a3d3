use auth_proxy::auth_proxy;

auth_proxy! {
    struct Default {
        upstream: { base_url: "https://auth.example.com/api/auth" },
    }
}

auth_proxy! {
    struct Tenant {
        base_path: "/login",
        upstream: { base_url: "https://auth.example.com/tenant/auth/", base_path: "/auth" },
    }
}

auth_proxy! {
    struct DefaultOfAVariable {
        upstream: { base_url: env("AUTH_URL", default = "https://auth.example.com/api/auth") },
    }
}

fn main() {}

// first: 5:31 `"https://auth.example.com/api/auth"`
