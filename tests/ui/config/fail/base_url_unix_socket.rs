use auth_proxy::auth_proxy;

auth_proxy! {
    struct TwoSlashes { upstream: { base_url: "unix://run/auth.sock" } }
}

auth_proxy! {
    struct Relative { upstream: { base_url: "unix:run/auth.sock" } }
}

auth_proxy! {
    struct WithoutScheme { upstream: { base_url: "/run/auth.sock" } }
}

auth_proxy! {
    struct AsInNginx { upstream: { base_url: "http://unix:/run/auth.sock:/tenant" } }
}

auth_proxy! {
    struct AsInDocker { upstream: { base_url: "http+unix://%2Frun%2Fauth.sock" } }
}

auth_proxy! {
    struct WithQuery { upstream: { base_url: "unix:/run/auth.sock?tenant=1" } }
}

auth_proxy! {
    struct UpAFolder { upstream: { base_url: "unix:/run/app/../auth.sock" } }
}

auth_proxy! {
    struct WithBasePath { upstream: { base_url: "unix:/run/auth.sock:/api/auth" } }
}

auth_proxy! {
    struct OfAVariable { upstream: { base_url: env("AUTH_URL", default = "unix:///run/auth.sock") } }
}

fn main() {}

// first: 4:47 `"unix://run/auth.sock"`
