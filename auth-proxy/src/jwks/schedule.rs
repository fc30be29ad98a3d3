//! [`Schedule`]: when the keys are fetched again, and how long they may be used.

use std::time::Duration;

use auth_proxy_rules::Settings;
use tokio::time::Instant;

/// The first wait after a failed fetch. It doubles with each further failure, up to `jwks.cooldown`.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The configured times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) max_age: Duration,
    pub(super) stale: Duration,
    pub(super) cooldown: Duration,
}

impl Limits {
    pub(super) fn of(settings: &Settings) -> Self {
        Self { max_age: settings.jwks_max_age, stale: settings.jwks_stale, cooldown: settings.jwks_cooldown }
    }
}

/// What a request does about the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It uses the keys.
    Use,
    /// It uses the keys, and starts a fetch for later requests.
    UseAndFetch,
    /// It waits for a fetch.
    Wait,
    /// There are no keys that may be used, and the last fetch failed a moment ago.
    Refuse,
}

/// The times of the fetches so far.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// The last successful fetch.
    fetched: Option<Instant>,
    /// The last failed fetch, and the number of failures since the last success.
    failed: Option<(Instant, u32)>,
    /// The beginning of the last fetch for an unknown key.
    searched: Option<Instant>,
}

impl Schedule {
    /// What a request does at `now`.
    pub(super) fn step(&self, limits: &Limits, now: Instant) -> Step {
        let may_fetch = self.wait(limits, now).is_zero();
        let Some(age) = self.fetched.map(|fetched| now.saturating_duration_since(fetched)) else {
            return if may_fetch { Step::Wait } else { Step::Refuse };
        };
        // Early, so that no request waits for the fetch while there are requests at all.
        if age < limits.max_age / 5 * 4 {
            return Step::Use;
        }
        if self.is_usable(limits, now) && (age < limits.max_age || self.failed.is_some()) {
            return if may_fetch { Step::UseAndFetch } else { Step::Use };
        }
        // Without requests the keys are not fetched, so they can be too old at the next request.
        if may_fetch { Step::Wait } else { Step::Refuse }
    }

    /// Whether the keys may be used at `now`, if they cannot be fetched.
    pub(super) fn is_usable(&self, limits: &Limits, now: Instant) -> bool {
        let bound = limits.max_age + limits.stale;
        self.fetched.is_some_and(|fetched| now.saturating_duration_since(fetched) < bound)
    }

    /// How long it takes until the next fetch after a failed one may begin.
    pub(super) fn wait(&self, limits: &Limits, now: Instant) -> Duration {
        let Some((at, failures)) = self.failed else { return Duration::ZERO };
        let wait = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(limits.cooldown);
        (at + wait).saturating_duration_since(now)
    }

    /// How long it takes until the next fetch for an unknown key may begin.
    pub(super) fn search_wait(&self, limits: &Limits, now: Instant) -> Duration {
        self.searched.map_or(Duration::ZERO, |at| (at + limits.cooldown).saturating_duration_since(now))
    }

    /// Whether the last fetch failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// A fetch for an unknown key begins.
    pub(super) fn search(&mut self, now: Instant) {
        self.searched = Some(now);
    }

    /// A fetch succeeded.
    pub(super) fn succeed(&mut self, now: Instant) {
        (self.fetched, self.failed) = (Some(now), None);
    }

    /// The issuer withdrew the keys that were fetched.
    pub(super) fn withdraw(&mut self) {
        self.fetched = None;
    }

    /// A fetch failed.
    pub(super) fn fail(&mut self, now: Instant) {
        let before = self.failed.map_or(0, |(_, failures)| failures);
        self.failed = Some((now, before.saturating_add(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        max_age: Duration::from_secs(600),
        stale: Duration::from_secs(3600),
        cooldown: Duration::from_secs(30),
    };

    fn at(start: Instant, secs: u64) -> Instant {
        start + Duration::from_secs(secs)
    }

    #[test]
    fn keys_are_fetched_before_they_are_too_old() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        assert_eq!(schedule.step(&LIMITS, start), Step::Wait);
        schedule.succeed(start);
        for (secs, step) in [
            (0, Step::Use),
            (479, Step::Use),
            (480, Step::UseAndFetch),
            (599, Step::UseAndFetch),
            (600, Step::Wait),
            (4199, Step::Wait),
            (4200, Step::Wait),
        ] {
            assert_eq!(schedule.step(&LIMITS, at(start, secs)), step, "{secs}");
            assert_eq!(schedule.is_usable(&LIMITS, at(start, secs)), secs < 4200, "{secs}");
        }
    }

    #[test]
    fn stale_keys_are_used_until_the_bound_while_fetches_fail() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        schedule.succeed(start);
        schedule.fail(at(start, 590));
        for (secs, step) in [
            (590, Step::Use),
            (591, Step::UseAndFetch),
            (601, Step::UseAndFetch),
            (4199, Step::UseAndFetch),
            (4200, Step::Wait),
        ] {
            assert_eq!(schedule.step(&LIMITS, at(start, secs)), step, "{secs}");
        }
        schedule.fail(at(start, 4200));
        assert_eq!(schedule.step(&LIMITS, at(start, 4201)), Step::Refuse);
        assert_eq!(schedule.step(&LIMITS, at(start, 4202)), Step::Wait);
        schedule.succeed(at(start, 4202));
        assert_eq!(schedule.step(&LIMITS, at(start, 4202)), Step::Use);
    }

    #[test]
    fn waits_after_failures_double_up_to_the_cool_down() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        for secs in [1, 2, 4, 8, 16, 30, 30] {
            schedule.fail(start);
            assert_eq!(schedule.wait(&LIMITS, start), Duration::from_secs(secs));
            assert_eq!(schedule.step(&LIMITS, at(start, secs - 1)), Step::Refuse);
            assert_eq!(schedule.step(&LIMITS, at(start, secs)), Step::Wait);
        }
        for _ in 0..100 {
            schedule.fail(start);
        }
        assert_eq!(schedule.wait(&LIMITS, start), LIMITS.cooldown);
    }

    #[test]
    fn searches_for_a_key_are_a_cool_down_apart() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        schedule.succeed(start);
        assert_eq!(schedule.search_wait(&LIMITS, start), Duration::ZERO);
        schedule.search(start);
        assert_eq!(schedule.search_wait(&LIMITS, at(start, 1)), Duration::from_secs(29));
        // Any other fetch does not put off the next search.
        schedule.succeed(at(start, 20));
        assert_eq!(schedule.search_wait(&LIMITS, at(start, 30)), Duration::ZERO);
    }
}
