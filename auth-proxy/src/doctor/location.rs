//! Finds the login server: at the configured address, or else below another path or under another host.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::address::{BasePath, path_of};
use super::visit::Visit;
use crate::dialect::{BASE_PATHS, Probes, families};
use crate::error::AuthError;
use crate::forwarded::ClientInfo;
use crate::provider::Shared;
use crate::upstream::ProbeHost;

/// A login server that was found.
pub(super) struct Located {
    pub(super) probes: &'static dyn Probes,
    pub(super) base_path: BasePath,
    /// Its answer to a path that marks its family.
    pub(super) answer: Response<Bytes>,
}

/// The result of a search.
pub(super) enum Search {
    Found(Located),
    /// Below another base path.
    Elsewhere(Located),
    /// Under the host of `upstream.base_url`, while `upstream.host` tells it another one.
    UnderOwnHost {
        /// That other host.
        told: String,
        /// The answer to the first question, with that host.
        answer: Response<Bytes>,
    },
    /// Nowhere. This is the answer to the first question.
    Nowhere(Response<Bytes>),
    /// There was no answer to the first question.
    Unanswered(AuthError),
}

/// Searches for the login server.
pub(super) async fn search(visit: Visit<'_>) -> Search {
    let settings = &visit.shared.settings;
    let configured =
        BasePath { prefix: settings.base_url.prefix.clone(), base: settings.upstream_base_path.clone() };
    let first = match at(visit, &configured).await {
        Ok(Ok(located)) => return Search::Found(located),
        Ok(Err(answer)) => answer,
        Err(error) => return Search::Unanswered(error),
    };
    if is_final(first.status()) {
        return Search::Nowhere(first);
    }
    if let Some(told) = other_host(visit) {
        let own = Visit { host: ProbeHost::Upstream, ..visit };
        if let Ok(Ok(_)) = at(own, &configured).await {
            return Search::UnderOwnHost { told, answer: first };
        }
    }
    if !may_be_elsewhere(first.status()) {
        return Search::Nowhere(first);
    }
    for candidate in base_paths(visit.shared) {
        if let Ok(Ok(located)) = at(visit, &candidate).await {
            return Search::Elsewhere(located);
        }
    }
    Search::Nowhere(first)
}

/// The login server at this path, or else the answer to the first question.
///
/// # Errors
/// If there is no answer to the first question.
async fn at(visit: Visit<'_>, base_path: &BasePath) -> Result<Result<Located, Response<Bytes>>, AuthError> {
    let (base, mut first) = (base_path.path(), None);
    for probes in families(visit.shared.settings.kind) {
        for mark in probes.marks() {
            let answer = match (visit.get(&format!("{base}{mark}")).await, &first) {
                (Ok(answer), _) => answer,
                (Err(error), None) => return Err(error),
                // The questions of the second family are a fallback: a server may close the connection at a path that it
                // does not know.
                (Err(_), Some(_)) => continue,
            };
            if answer.status() == StatusCode::OK && probes.has_mark(mark, answer.body()) {
                return Ok(Ok(Located { probes, base_path: base_path.clone(), answer }));
            }
            // Only an answer like "not found" leaves it open what is there.
            let is_open = may_be_elsewhere(answer.status());
            let first = first.get_or_insert(answer);
            if !is_open {
                let mut taken = Response::new(Bytes::new());
                std::mem::swap(&mut taken, first);
                return Ok(Err(taken));
            }
        }
    }
    Ok(Err(first.unwrap_or_default()))
}

/// Whether nothing more has to be asked: the limit of requests is reached, or a loop was detected.
fn is_final(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::LOOP_DETECTED)
}

/// Whether an answer leaves it open that the login is below another path: a page of an app, or any kind of "not found".
fn may_be_elsewhere(status: StatusCode) -> bool {
    status.is_success()
        || matches!(
            status,
            StatusCode::BAD_REQUEST
                | StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::GONE
                | StatusCode::MISDIRECTED_REQUEST
        )
}

/// The host that the upstream is told, if it is another one than that of its URL.
fn other_host(visit: Visit<'_>) -> Option<String> {
    let (settings, upstream) = (&visit.shared.settings, &visit.shared.upstream);
    let client = ClientInfo::own(settings);
    let told = upstream.forwarded_as(&client).host?;
    (!told.eq_ignore_ascii_case(&settings.base_url.origin.authority)).then(|| told.to_owned())
}

/// The likely base paths. With configured headers they are below the configured prefix: another prefix may lead to another
/// tenant's server, which must not get the headers.
pub(super) fn base_paths(shared: &Shared) -> Vec<BasePath> {
    let settings = &shared.settings;
    let prefix = settings.base_url.prefix.as_str();
    let mut base_paths =
        candidates(prefix, &settings.base_path, &path_of(prefix, &settings.upstream_base_path));
    base_paths.retain(|base_path| base_path.prefix == prefix || shared.config.headers.is_empty());
    base_paths
}

/// The likely base paths, without the configured one: other base paths, and no prefix.
fn candidates(prefix: &str, own: &str, configured: &str) -> Vec<BasePath> {
    let mut base_paths: Vec<BasePath> = Vec::new();
    let prefixes = if prefix.is_empty() { vec![""] } else { vec![prefix, ""] };
    for prefix in prefixes {
        for base in std::iter::once(own).chain(BASE_PATHS) {
            let base_path = BasePath { prefix: prefix.to_owned(), base: base.to_owned() };
            if base_path.path() != configured
                && base_paths.iter().all(|known| known.path() != base_path.path())
            {
                base_paths.push(base_path);
            }
        }
    }
    base_paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_few_and_leave_out_the_configured_path() {
        let paths = |prefix, own, configured| -> Vec<String> {
            candidates(prefix, own, configured).iter().map(BasePath::path).collect()
        };
        assert_eq!(paths("", "/api/auth", "/api/auth"), ["/auth", "/api/v1/auth", "/api"]);
        assert_eq!(paths("", "/login", "/auth"), ["/login", "/api/auth", "/api/v1/auth", "/api"]);
        assert_eq!(
            paths("/t", "/api/auth", "/t/api/auth"),
            ["/t/auth", "/t/api/v1/auth", "/t/api", "/api/auth", "/auth", "/api/v1/auth", "/api"]
        );
    }

    #[test]
    fn refusals_and_failures_end_the_search() {
        for (status, is_open) in
            [(200, true), (404, true), (400, true), (302, false), (401, false), (503, false)]
        {
            assert_eq!(may_be_elsewhere(StatusCode::from_u16(status).unwrap()), is_open, "{status}");
        }
    }
}
