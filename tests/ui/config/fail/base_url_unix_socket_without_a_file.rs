use auth_proxy::auth_proxy;

auth_proxy! {
    struct Abstract { upstream: { base_url: "unix:@auth" } }
}

auth_proxy! {
    struct TooLong {
        upstream: {
            base_url: "unix:/var/lib/a-folder-with-a-long-name/and-another-one-below-it/and-a-third-one-below-that/and-mor/auth.sock",
        },
    }
}

auth_proxy! {
    struct ThisApp { public_url: "unix:/run/app.sock", upstream: { base_url: "unix:/run/auth.sock" } }
}

fn main() {}

// first: 4:45 `"unix:@auth"`
// advice: none: the user has to choose the path of the socket
