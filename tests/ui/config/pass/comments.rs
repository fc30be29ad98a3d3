#![deny(warnings)]

use auth_proxy::auth_proxy;

auth_proxy! {
    //! An inner comment documents the type, as an outer one does.
    /// Documented.
    pub struct Auth</// The user.
    User = AppUser> {
        //! At the start.
        /// Above a key.
        base_path: "/auth", /// Behind an entry.
        /** A block comment. */
        hosts: [
            /// Above an item.
            "app.example.com",
            //! Between two items.
            "www.example.com", /// Behind the last.
        ],
        /// Above a block.
        upstream: {
            base_url: env(
                /// In the arguments.
                "AUTH_UPSTREAM_URL",
            ),
            headers: {
                /// Above a header.
                "x-api-key": env("AUTH_PROXY_KEY"), /// Behind a header.
                #[doc = "Written out."]
                "x-tenant": "a",
            },
            secret: [
                /// Above a secret.
                env("AUTH_SECRET"),
            ],
            timeout: /** Before a value. */ 5s,
            /// At the end.
        },
        /// Last.
    }
    /// Behind the block.
}

auth_proxy! {
    /// Commented out.
    pub struct Types<
        /// The first.
        User = AppUser,
        //! The second.
        Claims = AppUser,
    > {
        /* upstream: { base_url: "http://other" }, */
        upstream: { base_url: "http://auth" }, // plain
    }
}

#[derive(Clone, serde::Deserialize)]
pub struct AppUser;

fn main() {}
