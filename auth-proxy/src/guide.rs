//! The guide: how to use this crate, in the order in which a reader needs it.
//!
//! 1. [`getting_started`]: from an empty folder to an app with sign-in.
//! 2. [`options`]: every option of the block.
//! 3. [`editor`]: what an editor and the compiler show for a block.
//! 4. [`servers`]: what to set at each kind of login server.
//! 5. [`deployments`]: how the app and the login server are put together.
//! 6. [`policies`]: who may pass.
//! 7. [`caching`]: how long a cached session is used before the upstream is asked again.
//! 8. [`outages`]: what happens when the upstream is unavailable, and what is logged.
//! 9. [`doctor`]: a check that says what is wrong with a deployment, liveness and readiness.
//! 10. [`telemetry`]: spans, metrics, and traces that go on at the upstream.
//! 11. [`audit`]: events for security people: sign-ins, refusals, revocations, outages.
//! 12. [`scale`]: what grows with instances, sessions and requests, and what several instances share.
//! 13. [`errors`]: every error code and every warning, its cause and what to do.
//! 14. [`testing`]: tests without a login server.
//! 15. [`csrf`]: requests that other sites send with a visitor's cookies.
//! 16. [`browser`]: signing in and out from a page.
//! 17. [`security`]: which attacks are prevented, and how.
//! 18. [`published_keys`]: tokens of any issuer that publishes its keys, such as those of machine clients.
//! 19. [`other_servers`]: tonic, hyper, tower and actix-web, WebSockets and event streams.
//! 20. [`reverse_proxies`]: nginx, Caddy, Traefik or Envoy in front of a service that is not written in Rust.
//! 21. [`gateway`]: sign-in in front of any app, with one program and one file.
//! 22. [`openapi`]: what guards answer, in an OpenAPI document.
//! 23. [`migrating`]: from other ways to share a login.
//! 24. [`migrating_to_better_auth`]: from Auth.js or next-auth to Better Auth.

// Built for documentation and doctests only. Doctests compile the code in the pages.
macro_rules! page {
    ($($name:ident)+) => {
        $(
            // Markdown uses the first of two definitions of a link. A page defines its links as files, which work on
            // GitHub. These replace them by pages of this documentation.
            #[doc = "[deployments]: crate::guide::deployments"]
            #[doc = "[which server]: crate::guide::deployments#which-server"]
            #[doc = "[policies]: crate::guide::policies"]
            #[doc = "[errors]: crate::guide::errors"]
            #[doc = "[caching]: crate::guide::caching"]
            #[doc = "[outages]: crate::guide::outages"]
            #[doc = "[webhook]: crate::guide::caching#revocation-from-the-upstream"]
            #[doc = "[back channel]: crate::guide::caching#openid-connect-back-channel-logout"]
            #[doc = "[metrics]: crate::guide::telemetry#metrics"]
            #[doc = "[audit]: crate::guide::audit"]
            #[doc = "[sign-in limits]: crate::guide::security#sign-in-limits"]
            #[doc = "[csrf]: crate::guide::csrf"]
            #[doc = "[telemetry]: crate::guide::telemetry"]
            #[doc = "[doctor]: crate::guide::doctor"]
            #[doc = "[options]: crate::guide::options"]
            #[doc = "[editor]: crate::guide::editor"]
            #[doc = "[servers]: crate::guide::servers"]
            #[doc = "[Better Auth]: crate::guide::migrating_to_better_auth"]
            #[doc = "[published keys]: crate::guide::published_keys"]
            #[doc = "[verdict]: crate::guide::reverse_proxies"]
            #[doc = "[telemetry]: crate::guide::telemetry"]
            #[doc = "[gateway]: crate::guide::gateway"]
            #[doc = ""]
            #[doc = include_str!(concat!("../docs/guide/", stringify!($name), ".md"))]
            pub mod $name {}
        )+
    };
}

page! {
    getting_started
    options
    editor
    servers
    deployments
    policies
    caching
    outages
    doctor
    telemetry
    audit
    scale
    errors
    testing
    csrf
    browser
    security
    published_keys
    other_servers
    reverse_proxies
    gateway
    openapi
    migrating
    migrating_to_better_auth
}
