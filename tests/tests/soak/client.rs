use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auth_proxy_tests::loopback_client;
use reqwest::Response;

use crate::support::token;
use crate::verdict::{Answer, Route, Verdict, Who, judge};

/// How many failures are printed. Further failures are only counted.
const MOST_PRINTED: usize = 100;

/// A run proves nothing unless there are more responses of a kind than this.
pub(crate) const ENOUGH: u64 = 100;

/// How long after its deadline a response may arrive, since the machine may be busy.
const SLACK: Duration = Duration::from_secs(8);

/// The settings and the results of a run, shared by all clients.
pub(crate) struct Load {
    /// The origins of the apps.
    pub(crate) origins: Vec<String>,
    /// The secret of the upstream.
    pub(crate) secret: String,
    pub(crate) timeout: Duration,
    /// How many users each client has.
    pub(crate) users: usize,
    pub(crate) is_over: AtomicBool,
    pub(crate) tally: Mutex<Tally>,
}

impl Load {
    /// Whether these verdicts together occurred more than [`ENOUGH`] times.
    pub(crate) fn has_tried(&self, verdicts: &[Verdict]) -> bool {
        let tally = self.tally.lock().unwrap();
        verdicts.iter().map(|verdict| tally.of(*verdict)).sum::<u64>() > ENOUGH
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) verdicts: BTreeMap<Verdict, u64>,
    /// The first wrong responses; `wrongs` counts all of them.
    pub(crate) wrong: Vec<String>,
    pub(crate) wrongs: usize,
    pub(crate) longest: Duration,
}

impl Tally {
    pub(crate) fn of(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }

    fn record_wrong(&mut self, wrong: String) {
        self.wrongs += 1;
        if self.wrong.len() < MOST_PRINTED {
            self.wrong.push(wrong);
        }
    }
}

/// A client with the cookies of several users.
pub(crate) struct Client {
    load: Arc<Load>,
    http: reqwest::Client,
    users: Vec<(String, String)>,
    random: u64,
}

impl Client {
    pub(crate) fn new(load: &Arc<Load>, number: usize) -> Self {
        let users = (0..load.users).map(|n| {
            let name = format!("user {number}.{n}");
            let token = token(&name, &load.secret);
            (name, token)
        });
        let random = 0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1);
        Self { load: Arc::clone(load), http: loopback_client(), users: users.collect(), random }
    }

    /// Sends random requests as random users until the run is over.
    pub(crate) async fn run(&mut self) {
        while !self.load.is_over.load(Relaxed) {
            let route = Route::ALL[self.random_below(Route::ALL.len())];
            let app = self.random_below(self.load.origins.len());
            let origin = self.load.origins[app].clone();
            let (who, token) = match self.random_below(10) {
                0 => (Who::Guest, None),
                // A forged token that the app has rejected before, so the rejection comes from its cache. The forged
                // token below is new.
                1 => (Who::Forged, Some(token("mallory", "another secret"))),
                2 => (Who::Forged, Some(format!("e30..AAAA.{:x}.AAAA", self.random_below(usize::MAX)))),
                _ => {
                    let user = self.random_below(self.users.len());
                    let (name, token) = self.users[user].clone();
                    (Who::SignedIn(name), Some(token))
                }
            };
            self.ask(&origin, &who, token.as_deref(), route).await;
        }
    }

    /// Requests every route of every app as a signed-in user. Every response must be right, at once or after the
    /// circuit has closed and the queue has room.
    pub(crate) async fn ask_for_everything(&self) {
        let (name, token) = &self.users[0];
        for (origin, route) in
            self.load.origins.iter().flat_map(|origin| Route::ALL.map(|route| (origin, route)))
        {
            let began = Instant::now();
            loop {
                let verdict = self.ask(origin, &Who::SignedIn(name.clone()), Some(token), route).await;
                if verdict == Some(Verdict::Right) {
                    break;
                }
                let may_recover = matches!(verdict, Some(Verdict::Overloaded | Verdict::Late));
                let may_recover = may_recover && began.elapsed() < Duration::from_secs(15);
                assert!(may_recover, "the app has not recovered: {verdict:?} on {route:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn ask(&self, origin: &str, who: &Who, token: Option<&str>, route: Route) -> Option<Verdict> {
        let began = Instant::now();
        let mut request = self.http.get(format!("{origin}{}", route.path()));
        if let Some(token) = token {
            request = request.header("cookie", format!("authjs.session-token={token}"));
        }
        if route == Route::Page {
            request = request.header("accept", "text/html").header("sec-fetch-mode", "navigate");
        }
        let limit = self.load.timeout + SLACK;
        let judged = match request.timeout(limit).send().await {
            Ok(response) => judge(who, route, &read(response).await),
            Err(error) => Err(format!("no response: {who:?} on {route:?} got {error:?}")),
        };
        let took = began.elapsed();
        let mut tally = self.load.tally.lock().unwrap();
        tally.longest = tally.longest.max(took);
        if took >= limit {
            tally.record_wrong(format!("late: {who:?} on {route:?} waited {took:?}"));
        }
        match judged {
            Ok(verdict) => {
                *tally.verdicts.entry(verdict).or_default() += 1;
                Some(verdict)
            }
            Err(wrong) => {
                tally.record_wrong(wrong);
                None
            }
        }
    }

    /// A random number below `below` (xorshift).
    fn random_below(&mut self, below: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % below as u64).unwrap()
    }
}

async fn read(mut response: Response) -> Answer {
    let text = |name: &str| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let cookies = response.headers().get_all("set-cookie").iter();
    let mut answer = Answer {
        status: response.status().as_u16(),
        kind: text("content-type"),
        location: text("location"),
        cookies: cookies.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect(),
        ..Answer::default()
    };
    let mut body = Vec::new();
    answer.is_complete = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    answer.body = String::from_utf8_lossy(&body).into_owned();
    answer
}

/// Starts this many clients, which run until `is_over` is set.
pub(crate) fn start(load: &Arc<Load>, clients: usize) -> Vec<tokio::task::JoinHandle<Client>> {
    let clients = (0..clients).map(|number| {
        let mut client = Client::new(load, number);
        tokio::spawn(async move {
            client.run().await;
            client
        })
    });
    clients.collect()
}
