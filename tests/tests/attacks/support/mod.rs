//! Code that the attacks share: the app under attack, upstreams, and raw requests.

pub(crate) mod accounts;
mod app;
mod node;
mod raw;
mod strict_upstream;
mod upstream;

pub(crate) use self::app::{Auth, app, me};
pub(crate) use self::node::{ANSWERS, HANGS, Node};
pub(crate) use self::raw::{first, get, read};
pub(crate) use self::strict_upstream::{Reply, StrictUpstream, ok};
pub(crate) use self::upstream::{SECRET, Upstream, auth, seal};
