//! The guide: how to use this crate, in the order in which a reader needs it.
//!
//! 1. [`getting_started`]: from an empty folder to an app with sign-in.
//! 2. [`options`]: every option of the block.
//! 3. [`editor`]: what an editor and the compiler show for a block.
//! 4. [`deployments`]: how the app and the Auth.js server are put together.
//! 5. [`policies`]: who may pass.
//! 6. [`caching`]: how long a cached session is used before the upstream is asked again.
//! 7. [`outages`]: what happens when the upstream is unavailable, and what is logged.
//! 8. [`errors`]: every error code and every warning, its cause and what to do.
//! 9. [`testing`]: tests without an Auth.js server.
//! 10. [`csrf`]: requests that other sites send with a visitor's cookies.
//! 11. [`browser`]: signing in and out from a page.
//! 12. [`security`]: which attacks are prevented, and how.
//! 13. [`migrating`]: from other ways to share a login.

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
            #[doc = "[csrf]: crate::guide::csrf"]
            #[doc = "[options]: crate::guide::options"]
            #[doc = "[editor]: crate::guide::editor"]
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
