//! The model: expected loads in the long run.
//!
//! The requests of a session come at random times (a Poisson process), each at an instance that is chosen at random. A
//! session is looked up by the first request after its last answer has become too old. Without a store, that happens at
//! each instance on its own. With a store, it happens once for all, and the other instances read the answer from the store
//! when they first need it. An answer becomes too old everywhere at the same time, as its age is measured from the lookup.

use super::measured::Measured;
use super::options::Options;
use crate::shared::costs::Cost;

/// The load of a fleet in a second.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) requests: f64,
    /// Lookups at the upstream without a store.
    pub(super) alone: f64,
    /// Lookups at the upstream with a store.
    pub(super) shared: f64,
    /// Sessions whose answer is not too old, in one instance.
    pub(super) remembered: f64,
    /// Bytes of the memory of one instance.
    pub(super) memory: f64,
    /// Bytes of the memory of Redis.
    pub(super) redis_memory: f64,
    pub(super) reads: f64,
    pub(super) puts: f64,
    pub(super) sign_outs: f64,
    /// Messages that Redis passes on to instances.
    pub(super) delivered: f64,
    pub(super) redis: Cost,
}

/// How often a session is looked up and read in a second.
#[derive(Debug)]
pub(super) struct Rates {
    pub(super) alone: f64,
    pub(super) shared: f64,
    /// Reads at instances other than the one that looked up.
    pub(super) elsewhere: f64,
}

impl Rates {
    pub(super) fn of(options: &Options, instances: f64) -> Self {
        let (rate, cache) = (options.requests, options.cache);
        let instances = if options.sticky { 1.0 } else { instances };
        // A cycle: the answer is used for `cache`, and then a request comes after a random wait.
        let cycle = |rate: f64| 1.0 / (cache + 1.0 / rate);
        let shared = cycle(rate);
        // An instance reads the answer if a request comes there while it is good.
        let asks = 1.0 - (-rate * cache / instances).exp();
        Self {
            alone: instances * cycle(rate / instances),
            shared,
            elsewhere: shared * (instances - 1.0) * asks,
        }
    }
}

impl Load {
    pub(super) fn of(options: &Options, measured: &Measured, instances: f64, sessions: f64) -> Self {
        let rates = Rates::of(options, instances);
        let costs = &measured.costs;
        let sign_outs = sessions * options.sign_outs / 86_400.0;
        let (puts, elsewhere) = (sessions * rates.shared, sessions * rates.elsewhere);
        let sign_out = costs.sign_out.and(costs.sign_out_each.times(instances - 1.0));
        let redis = costs
            .first
            .times(puts)
            .and(costs.elsewhere.times(elsewhere))
            .and(costs.beats.times(instances))
            .and(sign_out.times(sign_outs));
        let good = sessions * rates.shared * options.cache;
        // In each instance: the answers that were looked up or read there and are not too old. On average, a request that
        // comes at a random time of the answer's life leaves it there for the rest.
        let share = if options.sticky { 1.0 / instances } else { held(options, instances) };
        let remembered = good * share;
        Self {
            requests: sessions * options.requests,
            alone: sessions * rates.alone,
            shared: puts,
            remembered,
            memory: remembered * measured.in_memory,
            redis_memory: good * measured.in_redis,
            reads: puts + elsewhere,
            puts,
            sign_outs,
            // Two ends for each sign-out, each told to all and acknowledged by all; and the beats.
            delivered: sign_outs * 4.0 * instances + 4.0 * instances,
            redis,
        }
    }
}

/// The share of the good answers that one instance has, at a random time of their life.
fn held(options: &Options, instances: f64) -> f64 {
    let mean = options.requests * options.cache / instances;
    // The instance that looked it up has it from the start.
    let others = 1.0 - (1.0 - (-mean).exp()) / mean;
    (1.0 + (instances - 1.0) * others) / instances
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random numbers from 0 to 1, the same in each run.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            #[expect(clippy::cast_precision_loss, reason = "53 bits")]
            let number = ((mixed ^ (mixed >> 31)) >> 11) as f64;
            number / 9_007_199_254_740_992.0
        }
    }

    /// One session, request by request.
    fn played(options: &Options, instances: usize) -> Rates {
        let mut random = Random(7);
        let (mut now, mut alone, mut shared, mut elsewhere) = (0.0, 0.0, 0.0, 0.0);
        // Until when the answer of each instance is good, without a store and with one, and that in the store.
        let (mut own, mut first_level, mut store) = (vec![0.0; instances], vec![0.0; instances], 0.0);
        for _ in 0..400_000 {
            now -= random.next().max(1e-12).ln() / options.requests;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "small"
            )]
            let at = (random.next() * instances as f64) as usize;
            if own[at] <= now {
                alone += 1.0;
                own[at] = now + options.cache;
            }
            if first_level[at] <= now {
                if store <= now {
                    shared += 1.0;
                    store = now + options.cache;
                } else {
                    elsewhere += 1.0;
                }
                first_level[at] = store;
            }
        }
        Rates { alone: alone / now, shared: shared / now, elsewhere: elsewhere / now }
    }

    #[test]
    fn formulas_are_what_single_requests_add_up_to() {
        for (requests, cache, instances) in
            [(0.1, 30.0, 1_u32), (0.1, 30.0, 10), (1.0, 30.0, 3), (0.01, 10.0, 100)]
        {
            let options = Options { requests, cache, ..Options::default() };
            let rates = Rates::of(&options, f64::from(instances));
            let played = played(&options, instances as usize);
            for (name, computed, counted) in [
                ("alone", rates.alone, played.alone),
                ("shared", rates.shared, played.shared),
                ("elsewhere", rates.elsewhere, played.elsewhere),
            ] {
                let difference = (computed - counted).abs();
                assert!(
                    difference <= 0.03 * counted + 1e-9,
                    "{name} with {requests}, {cache}, {instances}: computed {computed}, counted {counted}"
                );
            }
        }
    }

    #[test]
    fn sessions_that_stay_at_one_instance_need_no_more_lookups_with_more_instances() {
        let options = Options { sticky: true, ..Options::default() };
        let [one, many] = [1.0, 100.0].map(|instances| Rates::of(&options, instances));
        assert!((one.alone - many.alone).abs() < 1e-12 && many.elsewhere == 0.0);
    }
}
