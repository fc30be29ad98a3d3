//! Facts about Better Auth that the proxy relies on, without a proxy.

mod bearer;
mod cookies;
mod get_session;
mod requests;
mod transcripts;
