//! Tests with real Better Auth servers of two versions. They need Node, and `npm ci` in tests/better-auth and tests/authjs.

mod facts;
mod server;
