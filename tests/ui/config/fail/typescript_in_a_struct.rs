use auth_proxy::auth_proxy;

auth_proxy! {
    struct Auth<User = AppUser> {
        basePath: "/api/auth",
        upstream: {
            baseUrl: process.env.AUTH_UPSTREAM_URL ?? "https://auth.myapp.com",
            secret: process.env.AUTH_SECRET,
            sessionStrategy: "jwt",
            headers: { "x-tenant": "frontend-app" },
            fetch: (input, init) => fetch(input, init),
        },
        providers: [],
    }
}

#[derive(Clone, serde::Deserialize)]
struct AppUser;

fn main() {}

// first: 4:12 `Auth`
