//! The guide: how to use this crate, in the order in which a reader needs it.
//!
//! 1. [`getting_started`]: from an empty folder to an app with sign-in.
//! 2. [`options`]: every option of the block.
//! 3. [`deployments`]: how the app and the Auth.js server are put together.
//! 4. [`policies`]: who may pass.
//! 5. [`caching`]: how long a session is good without asking.
//! 6. [`outages`]: what happens when the upstream is in trouble, and what the log says.
//! 7. [`errors`]: every error code and every warning, its cause and what to do.
//! 8. [`testing`]: tests without an Auth.js server.
//! 9. [`csrf`]: writes that other sites make with a visitor's cookies.
//! 10. [`browser`]: signing in and out from a page.
//! 11. [`security`]: what is defended.
//! 12. [`migrating`]: from other ways to share a login.

// `doctest`: the code in the pages is compiled with the tests.
macro_rules! page {
    ($($name:ident)+) => {
        $(
            #[doc = include_str!(concat!("../docs/guide/", stringify!($name), ".md"))]
            pub mod $name {}
        )+
    };
}

page! {
    getting_started
    options
    deployments
    policies
    caching
    outages
    errors
    testing
    csrf
    browser
    security
    migrating
}
