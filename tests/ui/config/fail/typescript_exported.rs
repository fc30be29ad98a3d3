use auth_proxy::auth_proxy;

auth_proxy! {
    export const auth = authProxy({
        basePath: "/api/auth",
        // Shared by all apps.
        upstream: {
            baseUrl: process.env.AUTH_UPSTREAM_URL!,
            headers: { "x-api-key": process.env.AUTH_PROXY_KEY! },
        },
    })
}

mod robo {
    use auth_proxy::auth_proxy;

    auth_proxy! {
        import type { AuthPluginOptions } from "@robojs/auth";
        export default <AuthPluginOptions>{
            upstream: {
                baseUrl: process.env.AUTH_UPSTREAM_URL ?? "http://localhost:3000",
                secret: process.env.AUTH_SECRET,
                timeout: 5 * 1000,
            },
        };
    }
}

fn main() {}

// first: 4:5 `export`
