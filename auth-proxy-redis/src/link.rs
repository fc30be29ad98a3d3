//! The state of one link, without its connection: the task that reads the connection owns a reference to it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use redis::{Msg, PushInfo, PushKind};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::acks::Acks;
use crate::error::Reason;
use crate::event::Event;
use crate::message::Message;
use crate::names::Instance;
use crate::note::Note;

/// How long a beat is trusted. A sign-out waits this long for an instance that does not answer, so it is as long as a
/// person waits without doubt.
pub(crate) const TRUST: Duration = Duration::from_secs(1);
/// The time between beats: three may be late before a link is lost.
pub(crate) const BEAT: Duration = Duration::from_millis(250);
/// An instance with a beat in this time may still trust. Longer than `TRUST`, since the server rounds times to milliseconds.
pub(crate) const ALIVE: Duration = Duration::from_millis(1100);
/// An instance without a beat in this time is removed from the list.
pub(crate) const REMOVED: Duration = Duration::from_secs(5);

/// What all links of a store share.
pub(crate) struct Shared {
    pub(crate) on_event: Box<dyn Fn(Event<'_>) + Send + Sync>,
    /// The notes that this process knows.
    pub(crate) known_notes: Box<dyn Fn() -> Box<dyn Iterator<Item = Note> + Send> + Send + Sync>,
    pub(crate) acks: Acks,
    /// The latest time until which any link of this store was trusted. At first the time when the store began to connect.
    pub(crate) trusted_until: Mutex<Instant>,
}

impl Shared {
    pub(crate) fn trusted_until(&self) -> Instant {
        *self.trusted_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn trust_until(&self, until: Instant) {
        let mut latest = self.trusted_until.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = until.max(*latest);
    }
}

pub(crate) struct Link {
    shared: Arc<Shared>,
    /// The number of the link in this process.
    pub(crate) id: u64,
    /// The number of the link in Redis. Values with a smaller stamp are not trusted.
    pub(crate) since: OnceLock<u64>,
    /// The list of notes.
    pub(crate) notes: OnceLock<NoteList>,
    /// Whether Redis has all notes that this process knew when the link came up.
    gave_back: AtomicBool,
    /// The latest known number of links.
    pub(crate) stamp: AtomicU64,
    /// How long after it came up nothing is read from it; see [`Options::grace`](crate::Options::grace).
    grace: Duration,
    state: Mutex<State>,
    broken: watch::Sender<Option<Reason>>,
    acks: mpsc::Sender<(Instance, u64)>,
}

/// What a link found when it began.
pub(crate) struct NoteList {
    /// Distinguishes the list from one that is made after it was deleted.
    pub(crate) mark: String,
    /// Whether another instance knew the whole list, so that no grace period is needed for it.
    pub(crate) is_whole: bool,
}

struct State {
    phase: Phase,
    /// Until when the latest beat that came back is trusted.
    beat_until: Option<Instant>,
    /// With sentinels: until when the server counts as the primary. It is set before the first beat.
    primary_until: Option<Instant>,
    /// When the grace period is over.
    settled: Option<Instant>,
    /// The beats on their way.
    sent: VecDeque<(u64, Instant)>,
}

impl State {
    /// Until when the link is trusted. `None` before the first beat came back.
    fn until(&self) -> Option<Instant> {
        let beat = self.beat_until?;
        Some(self.primary_until.map_or(beat, |primary| primary.min(beat)))
    }

    /// Whether the grace period is over.
    fn is_settled(&self) -> bool {
        self.settled.is_some_and(|settled| Instant::now() >= settled)
    }
}

#[derive(PartialEq, Eq)]
enum Phase {
    Starting,
    Up,
    Gone,
}

impl Link {
    pub(crate) fn new(
        shared: Arc<Shared>,
        id: u64,
        grace: Duration,
        acks: mpsc::Sender<(Instance, u64)>,
    ) -> Self {
        Self {
            shared,
            id,
            since: OnceLock::new(),
            notes: OnceLock::new(),
            gave_back: AtomicBool::new(false),
            stamp: AtomicU64::new(0),
            grace,
            state: Mutex::new(State {
                phase: Phase::Starting,
                beat_until: None,
                primary_until: None,
                settled: None,
                sent: VecDeque::new(),
            }),
            broken: watch::Sender::new(None),
            acks,
        }
    }

    /// Whether answers of this link may be used now.
    pub(crate) fn is_trusted(&self) -> bool {
        let state = self.state();
        state.phase != Phase::Gone && state.until().is_some_and(|until| Instant::now() <= until)
    }

    /// Whether sessions may be read and stored over the link now.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_trusted() && self.state().is_settled()
    }

    /// Until when the link is trusted. `None` before the first beat came back.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.state().until()
    }

    /// Notes that a beat is about to be sent.
    pub(crate) fn sends(&self, number: u64) {
        let mut state = self.state();
        state.sent.push_back((number, Instant::now()));
        if state.sent.len() > 16 {
            state.sent.pop_front();
        }
    }

    /// Marks the link as broken. The first reason is kept.
    pub(crate) fn fail(&self, reason: Reason) {
        self.broken.send_if_modified(|old| {
            let first = old.is_none();
            old.get_or_insert(reason);
            first
        });
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.borrow().is_some()
    }

    /// Waits until the link is broken.
    pub(crate) async fn broken(&self) -> Reason {
        let mut broken = self.broken.subscribe();
        match broken.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_else(|| Reason::from("closed")),
            Err(_) => Reason::from("closed"),
        }
    }

    /// The link is up. Returns `false` if it is gone already.
    pub(crate) fn goes_up(&self) -> bool {
        let mut state = self.state();
        if state.phase != Phase::Starting || self.is_broken() {
            return false;
        }
        state.phase = Phase::Up;
        state.settled = Some(Instant::now() + self.grace);
        (self.shared.on_event)(Event::Up);
        self.report_until(&state);
        true
    }

    /// Reports until when the link is trusted, if it is up.
    fn report_until(&self, state: &State) {
        let Some(until) = state.until().filter(|_| state.phase == Phase::Up) else { return };
        self.shared.trust_until(until);
        if self.knows_notes(state) {
            (self.shared.on_event)(Event::NotesKnown { until });
        }
        if state.is_settled() {
            (self.shared.on_event)(Event::Alive { until });
        }
    }

    /// Whether this instance knows the whole list of notes: another one knew it, or all others had the time to give back
    /// what they know.
    fn knows_notes(&self, state: &State) -> bool {
        state.is_settled() || self.notes.get().is_some_and(|notes| notes.is_whole)
    }

    /// Redis has all notes that this process knew when the link came up.
    pub(crate) fn gave_back(&self) {
        self.gave_back.store(true, Relaxed);
    }

    /// Whether a new instance that reads the list from Redis knows the whole list.
    pub(crate) fn has_whole_list(&self) -> bool {
        let state = self.state();
        state.phase == Phase::Up && self.knows_notes(&state) && self.gave_back.load(Relaxed)
    }

    /// These notes were read.
    pub(crate) fn has_notes(&self, notes: &[Vec<u8>]) {
        let state = self.state();
        if state.phase != Phase::Gone && !notes.is_empty() {
            (self.shared.on_event)(Event::Noted(notes));
        }
    }

    /// The link is gone. Returns whether it was up.
    pub(crate) fn goes_down(&self) -> bool {
        let mut state = self.state();
        let was_up = std::mem::replace(&mut state.phase, Phase::Gone) == Phase::Up;
        if was_up {
            (self.shared.on_event)(Event::Lost);
        }
        was_up
    }

    /// What the server sends without a request, in order.
    pub(crate) fn receive(&self, push: PushInfo) {
        if push.kind == PushKind::Disconnection {
            self.fail(Reason::from("connection closed"));
            return;
        }
        let Some(message) = Msg::from_push_info(push) else { return };
        match Message::parse(message.get_payload_bytes()) {
            Some(Message::Beat { number }) => self.beat_came(number),
            Some(Message::Ack { from, number }) => self.shared.acks.add(from, number),
            Some(Message::Ended { from, number, keys }) => {
                self.report_told(from, number, Event::Ended(&keys));
            }
            Some(Message::Noted { from, number, notes }) => {
                self.report_told(from, number, Event::Noted(&notes));
            }
            None => {
                self.fail(Reason::from("message to forget everything"));
                self.goes_down();
            }
        }
    }

    fn report_told(&self, from: Instance, number: u64, event: Event<'_>) {
        let state = self.state();
        if state.phase == Phase::Gone {
            return;
        }
        (self.shared.on_event)(event);
        drop(state);
        // Without an acknowledgement the origin waits until this instance trusts nothing.
        self.acks.try_send((from, number)).ok();
    }

    fn beat_came(&self, number: u64) {
        let mut state = self.state();
        let Some(&(_, sent)) = state.sent.iter().find(|(known, _)| *known == number) else { return };
        state.sent.retain(|(known, _)| *known > number);
        if state.phase == Phase::Gone || self.has_lapsed(&state) {
            return;
        }
        state.beat_until = Some(sent + TRUST);
        self.report_until(&state);
    }

    /// The sentinels, asked at this time, confirmed that the server is the primary.
    pub(crate) fn is_confirmed(&self, asked: Instant) {
        let mut state = self.state();
        if self.has_lapsed(&state) {
            return;
        }
        state.primary_until = Some(asked + TRUST);
        self.report_until(&state);
    }

    /// Ends the link if it was up and its trust is over, and returns whether it did. What was to be told since then waits
    /// for the next link, so this one must not be trusted again.
    fn has_lapsed(&self, state: &State) -> bool {
        let has_lapsed =
            state.phase == Phase::Up && state.until().is_some_and(|until| until < Instant::now());
        if has_lapsed {
            self.fail(Self::why_overdue(state));
        }
        has_lapsed
    }

    /// Why the link is not trusted any more.
    pub(crate) fn overdue(&self) -> Reason {
        Self::why_overdue(&self.state())
    }

    fn why_overdue(state: &State) -> Reason {
        Reason::from(if state.primary_until.is_some_and(|until| until < Instant::now()) {
            "the sentinels do not confirm the primary"
        } else {
            "beat is overdue"
        })
    }

    /// The number of links that the latest beat saw.
    pub(crate) fn saw(&self, links: u64) {
        self.stamp.fetch_max(links, Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
