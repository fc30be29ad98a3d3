//! The order of a check: what is asked, what follows from what, and which findings would only repeat another one.

use std::sync::Arc;
use std::time::Duration;

use auth_proxy_rules::BaseUrl;
use tokio::time::{Instant, timeout_at};

use super::address::{BasePath, address};
use super::code::Code;
use super::cookies::{self, Cleared};
use super::finding::{Finding, Unchecked};
use super::location::{Located, Search, base_paths, search};
use super::report::{Deployment, Report};
use super::visit::Visit;
use super::{clock, issuer, origins, secrets, sessions, unanswered};
use crate::dialect::{Question, Seen, Server};
use crate::forwarded::ClientInfo;
use crate::provider::Shared;
use crate::upstream::ProbeHost;

/// Checks a deployment. Ends within `upstream.timeout`.
pub(super) async fn examine(shared: &Arc<Shared>) -> Report {
    let deadline = Instant::now() + shared.settings.timeout;
    let mut notes = Notes::default();
    let keys = issuer::issuer(shared);
    let own_keys = keys.filter(|issuer| issuer.has_own_url());
    let (upstream, keys_finding, store) = tokio::join!(
        async {
            if shared.settings.has_sign_in() {
                Some(Box::pin(upstream(shared, deadline)).await)
            } else {
                None
            }
        },
        async {
            match own_keys {
                Some(issuer) => issuer::check(shared, issuer, deadline).await,
                None => Ok(None),
            }
        },
        store(shared, deadline),
    );
    let (mut server, mut deployment, mut is_located) = (None, None, false);
    if let Some(upstream) = upstream {
        server = upstream.server;
        deployment = upstream.deployment;
        is_located = upstream.is_located;
        notes = upstream.notes;
    }
    notes.add(keys_finding);
    // The keys of the upstream itself: without an upstream there are none, which needs no finding of its own.
    if let Some(issuer) = keys.filter(|issuer| !issuer.has_own_url()) {
        if is_located {
            notes.add(issuer::check(shared, issuer, deadline).await);
        } else {
            notes.unchecked.push(Unchecked::new("keys", "the login server was not found"));
        }
    }
    notes.findings.extend(store);
    Report {
        upstream: address(&shared.settings),
        server: server.map(Server::name),
        deployment,
        findings: notes.findings,
        unchecked: notes.unchecked,
    }
}

/// Findings, and what could not be checked.
#[derive(Default)]
struct Notes {
    findings: Vec<Finding>,
    unchecked: Vec<Unchecked>,
}

impl Notes {
    /// Notes a result. Returns whether it is a finding.
    fn add(&mut self, result: Result<Option<Finding>, Unchecked>) -> bool {
        match result {
            Ok(finding) => {
                let is_finding = finding.is_some();
                self.findings.extend(finding);
                is_finding
            }
            Err(unchecked) => {
                self.unchecked.push(unchecked);
                false
            }
        }
    }
}

/// What was found out about the upstream.
#[derive(Default)]
struct Examined {
    server: Option<Server>,
    deployment: Option<Deployment>,
    /// Whether it is at the configured address.
    is_located: bool,
    notes: Notes,
}

async fn upstream(shared: &Arc<Shared>, deadline: Instant) -> Examined {
    let settings = &shared.settings;
    let visit = Visit { shared, host: ProbeHost::Configured, deadline };
    let mut examined = Examined::default();
    let fail = |finding: Finding| {
        let notes = Notes { findings: vec![finding], unchecked: Vec::new() };
        Examined { notes, ..Examined::default() }
    };
    let (began, now) = (Instant::now(), shared.now());
    let located = match Box::pin(search(visit)).await {
        Search::Found(located) => {
            examined.is_located = true;
            located
        }
        Search::Elsewhere(located) => {
            let base_path = &located.base_path;
            let (is_below_prefix, base) =
                (base_path.prefix == settings.base_url.prefix, base_path.base.as_str());
            let change = if is_below_prefix {
                format!("write `upstream.base_path: \"{base}\"`")
            } else {
                let server = BaseUrl { prefix: String::new(), ..settings.base_url.clone() };
                format!("write `upstream.base_url: \"{server}\"` and `upstream.base_path: \"{base}\"`")
            };
            let evidence =
                format!("there is no login below {}, but one below {}", address(settings), base_path.path());
            examined.notes.findings.push(Finding::new(Code::BASE_PATH_WRONG, evidence, change));
            located
        }
        Search::UnderOwnHost { told, answer } => {
            return fail(unanswered::host_not_served(settings, &told, &answer));
        }
        Search::Nowhere(answer) => {
            let tried: Vec<String> = base_paths(shared).iter().map(BasePath::path).collect();
            return fail(unanswered::no_login(settings, &answer, &tried));
        }
        Search::Unanswered(error) => return fail(unanswered::no_answer(settings, &error)),
    };
    Box::pin(examine_located(visit, &located, (now, began.elapsed()), &mut examined)).await;
    examined
}

/// Asks a login server that was found.
async fn examine_located(
    visit: Visit<'_>,
    located: &Located,
    (asked_at, took): (u64, Duration),
    examined: &mut Examined,
) {
    let Visit { shared, .. } = visit;
    let settings = &shared.settings;
    let configured: Vec<String> = settings.cookie_names.all().map(str::to_owned).collect();
    let clearing = located.probes.clearing(&configured);
    let (unknown, urls) = (Question::unknown(), Question::get(located.probes.urls()));
    let base = located.base_path.path();
    let (cleared_answer, urls_answer, unknown_answer) =
        tokio::join!(visit.ask(&base, &clearing), visit.ask(&base, &urls), async {
            if located.probes.has_several_servers() { visit.ask(&base, &unknown).await.ok() } else { None }
        },);
    let (cleared_answer, urls_answer) = (cleared_answer.ok(), urls_answer.ok());
    let cleared = Cleared::of(cleared_answer.as_ref());
    let server = located.probes.server(Seen {
        cookies: &cookies::all_names([Some(&located.answer), cleared_answer.as_ref()]),
        signed_out: cleared_answer.as_ref().map(|answer| &**answer.body()),
        unknown: unknown_answer.as_ref().map(|answer| &**answer.body()),
        expected: settings.kind,
    });
    examined.server = Some(server);
    let notes = &mut examined.notes;
    let is_expected = server.is_expected(settings.kind);
    if is_expected {
        notes.unchecked.extend(sessions::unchecked(shared, located.probes));
    } else {
        notes.findings.push(kind_wrong(settings.kind, server));
    }
    let own = ClientInfo::own(settings).origin(settings.public_url.as_ref());
    let urls =
        origins::compare(visit, located, server, own.as_ref(), urls_answer.as_ref(), cleared_answer.as_ref());
    examined.deployment = urls.deployment;
    let has_foreign_urls = notes.add(urls.result);
    // The names of cookies follow from the kind, and their prefix from the scheme of the URLs. A server that trusts its own
    // origin alone trusts this app's as soon as its URLs have it.
    if is_expected && !has_foreign_urls {
        notes.add(cookies::check_name(shared, located.probes, server, &cleared));
    }
    notes.add(secrets::check(visit, located, server, &cleared).await);
    if !has_foreign_urls {
        notes.add(origins::check_trust(visit, located, server).await);
    }
    notes.add(clock::check(located.answer.headers(), asked_at, took));
}

fn kind_wrong(configured: Option<crate::config::Kind>, server: Server) -> Finding {
    let says = match configured {
        Some(kind) => format!("`upstream.kind` is `{kind}`"),
        None => format!("`upstream.kind` is not set, which is for {}", Server::WITHOUT_KIND),
    };
    Finding::new(
        Code::KIND_WRONG,
        format!("its answers are those of {}, and {says}", server.name()),
        format!("write `upstream.kind: {}`", server.kind()),
    )
}

/// Reads from the store.
async fn store(shared: &Shared, deadline: Instant) -> Option<Finding> {
    let error = match timeout_at(deadline, shared.sessions.ping_store(deadline)).await {
        Ok(None | Some(Ok(()))) => return None,
        Ok(Some(Err(error))) => error.to_string(),
        Err(_) => "no answer within `upstream.timeout`".to_owned(),
    };
    Some(Finding::new(
        Code::STORE_FAILED,
        format!("a read fails: {error}"),
        "correct the address in `session.store`, with its user and password, and let this machine reach it; the log has the \
         error of the connection (`auth_proxy::store`)",
    ))
}
