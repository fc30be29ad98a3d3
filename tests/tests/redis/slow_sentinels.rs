//! Sentinels that answer late.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auth_proxy_tests::redis::Sentinel;
use auth_proxy_tests::settles;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::support::Store;

/// Stands before a sentinel, and passes its answers on late.
struct Relay {
    port: u16,
    pace: watch::Sender<Pace>,
    /// The number of answers that were passed on.
    answers: Arc<AtomicUsize>,
}

#[derive(Clone, Copy)]
enum Pace {
    /// Each answer takes this time.
    Late(Duration),
    /// No answer is passed on.
    Held,
}

impl Relay {
    async fn before(sentinel: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let relay =
            Self { port, pace: watch::Sender::new(Pace::Late(Duration::ZERO)), answers: Arc::default() };
        let (pace, answers) = (relay.pace.clone(), Arc::clone(&relay.answers));
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                tokio::spawn(pass_on(from, sentinel, pace.subscribe(), Arc::clone(&answers)));
            }
        });
        relay
    }

    fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/main", self.port)
    }

    fn answers(&self) -> usize {
        self.answers.load(Ordering::SeqCst)
    }

    /// Waits for the next answer.
    async fn next(&self) {
        let seen = self.answers();
        assert!(settles(|| self.answers() > seen).await, "the sentinel is not asked");
    }
}

async fn pass_on(from: TcpStream, to: u16, mut pace: watch::Receiver<Pace>, answers: Arc<AtomicUsize>) {
    let to = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
    from.set_nodelay(true).unwrap();
    to.set_nodelay(true).unwrap();
    let ((mut questions, mut client), (mut replies, mut sentinel)) = (from.into_split(), to.into_split());
    tokio::spawn(async move { tokio::io::copy(&mut questions, &mut sentinel).await.ok() });
    let mut bytes = [0; 4096];
    while let Ok(count) = replies.read(&mut bytes).await {
        let came = Instant::now();
        let Ok(pace) = pace.wait_for(|pace| matches!(pace, Pace::Late(_))).await.map(|pace| *pace) else {
            return;
        };
        if let Pace::Late(late) = pace {
            sleep_until(came + late).await;
        }
        if count == 0 || client.write_all(&bytes[..count]).await.is_err() {
            return;
        }
        answers.fetch_add(1, Ordering::SeqCst);
    }
}

/// A link counts for a second after the question. If each wait began with the answer, few questions would fit in it.
#[tokio::test]
async fn sentinels_are_asked_every_quarter_of_a_second_however_late_they_answer() {
    let servers = Sentinel::start();
    let relay = Relay::before(servers.sentinel.port).await;
    let _store = Store::up(&relay.url()).await;
    relay.pace.send_replace(Pace::Late(Duration::from_millis(200)));
    relay.next().await;
    let (began, first) = (Instant::now(), relay.answers());
    assert!(settles(|| relay.answers() >= first + 16).await);
    // With 200 ms more for each, it would take 7.2 s.
    assert!(began.elapsed() < Duration::from_millis(5600), "{:?}", began.elapsed());
}

/// The sentinels confirm the primary just after the link of one instance has lapsed. The other instance keeps its link, so it
/// must be told of the end.
#[tokio::test]
async fn end_while_a_link_is_not_confirmed_reaches_the_other_instances() {
    let servers = Sentinel::start();
    let relay = Relay::before(servers.sentinel.port).await;
    let (one, two) = (Store::up(&relay.url()).await, Store::up(&servers.url()).await);
    for number in 0..8 {
        let key = [number; 32];
        while one.store.get(&key).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
        // One late answer moves the questions to another time between two beats, at which a lapsed link is found.
        relay.pace.send_replace(Pace::Late(Duration::from_millis(260 + 30 * u64::from(number))));
        relay.next().await;
        relay.pace.send_replace(Pace::Late(Duration::ZERO));
        relay.next().await;
        let answered = Instant::now();
        relay.pace.send_replace(Pace::Held);
        let confirms = async {
            sleep_until(answered + Duration::from_millis(1120)).await;
            relay.pace.send_replace(Pace::Late(Duration::ZERO));
        };
        let ends = async {
            sleep_until(answered + Duration::from_millis(1050)).await;
            one.store.end(&[key], Duration::ZERO).await
        };
        let (ended, ()) = tokio::join!(ends, confirms);
        assert_eq!(ended, Ok(()), "{number}");
        assert!(two.saw_end_of(&key), "{number}");
    }
}
