//! Limits of attempts to sign in without a window, out of bounds, and of a field that has no account.

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

fn main() {}

// first: 6:34 `"20"`
// advice: none: how often somebody may try is a choice
