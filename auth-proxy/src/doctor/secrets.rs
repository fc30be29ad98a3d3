//! Finds out whether the secret is that of the upstream, without a sign-in.

use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::code::Code;
use super::cookies::Cleared;
use super::finding::{Finding, Unchecked};
use super::location::Located;
use super::visit::Visit;
use crate::cookie::received;
use crate::dialect::{SecretProbe, Server};
use crate::token::{CopyMistake, SecretMatch};

/// The most secrets that are tried with a request each.
const MOST: usize = 4;

/// What is known of the secret.
enum Known {
    Match(SecretMatch),
    /// It is right, but the database of the upstream fails.
    DatabaseFailed,
    Unknown(String),
}

/// Whether a configured secret is that of the upstream. Nothing without a secret.
///
/// # Errors
/// The reason why that is unknown.
pub(super) async fn check(
    visit: Visit<'_>,
    located: &Located,
    server: Server,
    cleared: &Cleared,
) -> Result<Option<Finding>, Unchecked> {
    let (settings, proofs) = (&visit.shared.settings, &visit.shared.secret_proofs);
    if proofs.count() == 0 {
        return Ok(None);
    }
    let known = match located.probes.secret() {
        SecretProbe::Hash { off_with } => by_hash(visit, located, off_with),
        // A signature lets its reader try secrets, and below another prefix may be another tenant's server.
        SecretProbe::Signature(_) if located.base_path.prefix != settings.base_url.prefix => {
            Known::Unknown("the login is outside of `upstream.base_url`".to_owned())
        }
        SecretProbe::Signature(path) => by_signature(visit, located, path, cleared).await,
    };
    let variable = server.secret_variable();
    let evidence = match located.probes.secret() {
        SecretProbe::Hash { .. } => "the hash in its CSRF cookie",
        SecretProbe::Signature(_) => "its answer to a signed cookie",
    };
    match known {
        Known::Unknown(reason) => Err(Unchecked::new("secret", reason)),
        Known::DatabaseFailed => Ok(Some(Finding::new(
            Code::DATABASE_FAILED,
            "the server answers with 500 to a correctly signed cookie of a session that does not exist",
            "correct the database of the server: the log of the server has its error",
        ))),
        Known::Match(SecretMatch::All | SecretMatch::At(0)) => Ok(None),
        Known::Match(SecretMatch::At(place)) => Ok(Some(Finding::new(
            Code::SECRET_OUTDATED,
            format!("{evidence} matches secret {} of {}", place + 1, proofs.count()),
            format!(
                "set {variable} at the server to the first secret of `upstream.secret`, the newest one; if the server has the \
                 newest one, put it first here"
            ),
        ))),
        Known::Match(SecretMatch::Mistake(mistake)) => Ok(Some(copied_wrong(mistake, evidence, variable))),
        // A key of one's own may sign the tokens, which the hash in another cookie says nothing about.
        Known::Match(SecretMatch::None) if settings.token.is_signed() => Err(Unchecked::new(
            "secret",
            format!("`upstream.token` is `{}`, whose key may be another one than {variable}", settings.token),
        )),
        Known::Match(SecretMatch::None) => Ok(Some(Finding::new(
            Code::SECRET_WRONG,
            format!("{evidence} matches no secret in `upstream.secret`, which has {}", proofs.count()),
            format!(
                "set `upstream.secret` (its variable, or its list) to the value of {variable} at the server, without quotes \
                 and spaces around it; if the server has several secrets, list them in its order, the newest first"
            ),
        ))),
    }
}

/// The finding for a secret that was copied with a mistake.
fn copied_wrong(mistake: CopyMistake, evidence: &str, variable: &str) -> Finding {
    let (seen, change) = match mistake {
        CopyMistake::SpaceHere => (
            "`upstream.secret` without the spaces or the line break around it",
            "remove the space or the line break from the variable or file that `upstream.secret` is read from (`printf %s` \
             writes none, `echo` does)"
                .to_owned(),
        ),
        CopyMistake::QuotesHere => (
            "`upstream.secret` without the quotes around it",
            "remove the quotes from the value of the variable: some tools take them as a part of it (`docker --env-file`)"
                .to_owned(),
        ),
        CopyMistake::LineBreakThere => (
            "`upstream.secret` with a line break at its end",
            format!("remove the line break from the end of {variable} at the server, or add it here"),
        ),
    };
    Finding::new(Code::SECRET_WRONG, format!("{evidence} matches {seen}"), change)
}

fn by_hash(visit: Visit<'_>, located: &Located, off_with: &str) -> Known {
    let cookies = received(located.answer.headers());
    match located.probes.hash(&cookies) {
        Some((value, hash)) => {
            Known::Match(visit.shared.secret_proofs.hashed(value, &hash.to_ascii_lowercase()))
        }
        None => Known::Unknown(format!("the server sets no cookie that shows it, as with {off_with}")),
    }
}

/// Sends a signed cookie of a session that does not exist, which the upstream clears if it accepts the signature.
async fn by_signature(visit: Visit<'_>, located: &Located, path: &str, cleared: &Cleared) -> Known {
    let unknown = |reason: &str| Known::Unknown(reason.to_owned());
    let Some(name) = located.probes.session_cookie(&cleared.names) else {
        return unknown("the name of the session cookie is not known");
    };
    let proofs = &visit.shared.secret_proofs;
    let listed = (0..proofs.count().min(MOST))
        .filter_map(|place| Some((SecretMatch::At(place), proofs.signed_random(place)?)));
    let mistakes = proofs.signed_random_with_mistakes().into_iter();
    let mistakes = mistakes.map(|(mistake, signed)| (SecretMatch::Mistake(mistake), signed));
    let path = format!("{}{path}", located.base_path.path());
    for (found, signed) in listed.chain(mistakes) {
        let value = utf8_percent_encode(&signed, NON_ALPHANUMERIC);
        let Ok(answer) = visit.get_with_cookie(&path, format!("{name}={value}")).await else {
            return unknown("there was no answer in time");
        };
        match answer.status() {
            StatusCode::OK if received(answer.headers()).iter().any(|cookie| cookie.name == name) => {
                return Known::Match(found);
            }
            StatusCode::OK => {}
            StatusCode::INTERNAL_SERVER_ERROR => return Known::DatabaseFailed,
            status => return Known::Unknown(format!("the answer to a lookup is {status}")),
        }
    }
    Known::Match(SecretMatch::None)
}
