//! Better Auth (`better-auth`).

pub(super) mod cookie_cache;
