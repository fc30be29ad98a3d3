use auth_proxy::auth_proxy;

auth_proxy! {
    pub struct Auth {
        public_url: "https://app.example.com",
        upstream: { kind: authjs, base_url: "unix:/run/auth.sock", secret: env("AUTH_SECRET") },
    }
}

auth_proxy! {
    pub struct Tenant {
        upstream: { base_url: "unix:/run/auth.sock:/tenant", host: upstream, connect_timeout: 1s },
    }
}

auth_proxy! {
    pub struct OfAVariable {
        upstream: { base_url: env("AUTH_URL", default = "unix:/run/auth@1.sock") },
    }
}

fn main() {
    let vars = [("AUTH_SECRET", "a secret that is long enough, with many characters")];
    let auth = Auth::builder().vars(vars).build();
    assert!(auth.is_ok() || cfg!(not(unix)));
}
