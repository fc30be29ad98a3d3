//! Limits of attempts to sign in, written in ways that are not read.

auth_proxy::auth_proxy! {
    struct Unquoted {
        upstream: { base_url: "https://auth.example.com" },
        sign_in_limit: { per_ip: 20/1m },
    }
}

auth_proxy::auth_proxy! {
    struct NoWindow {
        upstream: { base_url: "https://auth.example.com" },
        sign_in_limit: { per_ip: "20", per_account: "5/15" },
    }
}

auth_proxy::auth_proxy! {
    struct OutOfBounds {
        upstream: { base_url: "https://auth.example.com" },
        sign_in_limit: { per_ip: "0/1m", per_account: "5/30h", account_fields: [email, password] },
    }
}

auth_proxy::auth_proxy! {
    struct OtherNames {
        upstream: { base_url: "https://auth.example.com" },
        sign_in_limit: { perIp: "20/1m" },
    }
}

fn main() {}
