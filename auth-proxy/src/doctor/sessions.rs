//! What only a sign-in shows: how the server keeps its sessions, and the form of its tokens.

use super::finding::Unchecked;
use crate::config::Strategy;
use crate::dialect::Probes;
use crate::provider::Shared;

/// Lists what the answers to a check leave open. A wrong value of these options makes every session invalid.
pub(super) fn unchecked(shared: &Shared, probes: &dyn Probes) -> Vec<Unchecked> {
    if !probes.has_session_strategies() {
        return Vec::new();
    }
    let settings = &shared.settings;
    let strategy = match settings.strategy {
        Strategy::Jwt => {
            "the app expects a token in the session cookie, and only a sign-in shows whether it has one: if the server keeps \
             its sessions in a database, every visitor gets `token_malformed`; then write \
             `upstream.session_strategy: database`, and remove `upstream.secret`"
        }
        _ => {
            "the app expects the key of a database in the session cookie, and only a sign-in shows whether it has one: if \
             the server issues tokens, a long one in several cookies is not found; then remove `upstream.session_strategy`"
        }
    };
    let mut unchecked = vec![Unchecked::new("session_strategy", strategy)];
    if shared.verifier.is_some() && settings.token.is_signed() {
        unchecked.push(Unchecked::new(
            "token",
            format!(
                "`upstream.token` is `{}`, and only a sign-in shows how the server makes its tokens: unless its `jwt.encode` \
                 signs them, they are encrypted, and each is refused; then remove `upstream.token`",
                settings.token
            ),
        ));
    }
    unchecked
}
