//! Names of keys and channels in Redis.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::key::Key;

/// The random identifier of a store. Each process has its own.
pub(crate) type Instance = [u8; 16];

#[derive(Debug)]
pub(crate) struct Names {
    prefix: String,
    /// The counter of links.
    pub(crate) links: String,
    /// The times of the latest beats, in the same cluster slot as `links`: the text in braces decides the slot.
    pub(crate) alive: String,
    /// The list of notes, in the same slot.
    pub(crate) notes: String,
    /// The channel of all instances.
    pub(crate) channel: String,
    /// The channel of this instance.
    pub(crate) own: String,
}

impl Names {
    pub(crate) fn new(prefix: &str, instance: &Instance) -> Self {
        Self {
            prefix: prefix.to_owned(),
            links: format!("{prefix}:links"),
            alive: format!("{{{prefix}:links}}:alive"),
            notes: format!("{{{prefix}:links}}:notes"),
            channel: format!("{prefix}:ended"),
            own: own(prefix, instance),
        }
    }

    pub(crate) fn session(&self, key: &Key) -> String {
        format!("{}:s:{}", self.prefix, URL_SAFE_NO_PAD.encode(key))
    }

    pub(crate) fn counter(&self, key: &Key) -> String {
        format!("{}:c:{}", self.prefix, URL_SAFE_NO_PAD.encode(key))
    }

    pub(crate) fn own_of(&self, instance: &Instance) -> String {
        own(&self.prefix, instance)
    }
}

fn own(prefix: &str, instance: &Instance) -> String {
    format!("{prefix}:to:{}", URL_SAFE_NO_PAD.encode(instance))
}

/// Whether a prefix may be used. Braces would change the cluster slot, and `*` could match other keys in an ACL.
pub(crate) fn is_prefix(prefix: &str) -> bool {
    (1..=64).contains(&prefix.len())
        && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
}
