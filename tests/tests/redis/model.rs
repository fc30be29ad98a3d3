//! The protocol of tickets in all orders of its steps, on a model of the scripts; and the scripts against the model.

/// A record of the model. Generations, values and keys are small numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record {
    Garbage,
    Ticket(u8),
    Value { generation: u8, stamp: u64, linked: Vec<u8>, value: u8 },
    Block,
}

/// The sessions in Redis.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) records: [Option<Record>; 2],
}

impl Model {
    /// `get.lua`
    pub(crate) fn get(&mut self, key: usize, generation: u8) -> Record {
        if matches!(self.records[key], None | Some(Record::Garbage)) {
            self.records[key] = Some(Record::Ticket(generation));
        }
        self.records[key].clone().unwrap()
    }

    /// `put.lua`
    pub(crate) fn put(&mut self, key: usize, ticket: u8, record: Record) -> bool {
        let holds = match self.records[key] {
            Some(Record::Ticket(generation) | Record::Value { generation, .. }) => generation == ticket,
            _ => false,
        };
        if holds {
            self.records[key] = Some(record);
        }
        holds
    }

    /// `end.lua`
    pub(crate) fn end(&mut self, key: usize, block: bool) -> Vec<u8> {
        match self.records[key].take() {
            Some(Record::Block) => {
                self.records[key] = Some(Record::Block);
                Vec::new()
            }
            old => {
                self.records[key] = block.then_some(Record::Block);
                if let Some(Record::Value { linked, .. }) = old { linked } else { Vec::new() }
            }
        }
    }
}

mod interleavings {
    use super::{Model, Record};

    /// What is left out of the protocol, to show that the test finds it.
    #[derive(Clone, Copy, PartialEq)]
    enum Without {
        Nothing,
        Condition,
        Block,
    }

    #[derive(Clone, Copy, PartialEq)]
    enum SignOut {
        /// The upstream answers, then the store ends the session.
        Answered,
        /// The upstream does not answer in time, so the store blocks the session. The upstream ends it later.
        Late,
    }

    /// A reader: its next step, the link of its instance, its ticket and what the upstream said.
    #[derive(Clone, Copy, Default)]
    struct Reader {
        step: u8,
        since: u64,
        ticket: Option<(u8, u64)>,
        signed_in: bool,
    }

    #[derive(Clone)]
    struct World {
        redis: Model,
        links: u64,
        readers: [Reader; 2],
        generation: u8,
        sign_out: u8,
        ended_at_upstream: bool,
        record_lost: bool,
        link_lost: bool,
    }

    #[derive(Default)]
    struct Count {
        orders: u64,
        stored: u64,
        violations: u64,
    }

    impl World {
        fn new() -> Self {
            let mut readers = [Reader::default(); 2];
            (readers[0].since, readers[1].since) = (1, 2);
            Self {
                redis: Model::default(),
                links: 2,
                readers,
                generation: 0,
                sign_out: 0,
                ended_at_upstream: false,
                record_lost: false,
                link_lost: false,
            }
        }

        fn reads(&mut self, since: u64) -> (Option<u8>, Option<u8>) {
            self.generation += 1;
            match self.redis.get(0, self.generation) {
                Record::Ticket(generation) => (None, Some(generation)),
                Record::Value { generation, stamp, value, .. } => {
                    ((stamp >= since).then_some(value), Some(generation))
                }
                Record::Block | Record::Garbage => (None, None),
            }
        }

        fn reader_steps(&mut self, number: usize, without: Without, count: &mut Count) {
            let mut reader = self.readers[number];
            reader.step += 1;
            match reader.step {
                1 => {
                    let (value, ticket) = self.reads(reader.since);
                    if value.is_some() {
                        reader.step = 3;
                    }
                    reader.ticket = ticket.map(|ticket| (ticket, reader.since));
                }
                2 => reader.signed_in = !self.ended_at_upstream,
                _ if reader.signed_in => {
                    let generation = reader.ticket.map_or(99, |(generation, _)| generation);
                    let record =
                        Record::Value { generation, stamp: self.links, linked: Vec::new(), value: 7 };
                    if without == Without::Condition {
                        self.redis.records[0] = Some(record);
                    } else if let Some((ticket, link)) = reader.ticket
                        && link == reader.since
                        && self.redis.put(0, ticket, record)
                    {
                        count.stored += 1;
                    }
                }
                _ => {}
            }
            self.readers[number] = reader;
        }

        /// Goes on with each possible next step.
        fn explore(&self, kind: SignOut, without: Without, count: &mut Count) {
            // The sign-out has returned and the upstream has ended the session: no link may read a value.
            if self.sign_out == 2 {
                for since in [self.readers[0].since, self.readers[1].since, self.links + 1] {
                    if self.clone().reads(since).0.is_some() {
                        count.violations += 1;
                    }
                }
            }
            let mut last = true;
            for number in 0..2 {
                if self.readers[number].step < 3 {
                    last = false;
                    let mut next = self.clone();
                    next.reader_steps(number, without, count);
                    next.explore(kind, without, count);
                }
            }
            if self.sign_out < 2 {
                last = false;
                let mut next = self.clone();
                next.sign_out += 1;
                if (kind == SignOut::Answered) == (next.sign_out == 1) {
                    next.ended_at_upstream = true;
                } else {
                    next.redis.end(0, kind == SignOut::Late && without != Without::Block);
                }
                next.explore(kind, without, count);
            }
            // Redis evicts the record. Not a block: Redis that forgets blocks is not a store for them.
            if !self.record_lost && self.redis.records[0] != Some(Record::Block) {
                last = false;
                let mut next = self.clone();
                next.record_lost = true;
                next.redis.records[0] = None;
                next.explore(kind, without, count);
            }
            if !self.link_lost {
                last = false;
                let mut next = self.clone();
                next.link_lost = true;
                next.links += 1;
                next.readers[0].since = next.links;
                next.explore(kind, without, count);
            }
            count.orders += u64::from(last);
        }
    }

    fn count(kind: SignOut, without: Without) -> Count {
        let mut count = Count::default();
        World::new().explore(kind, without, &mut count);
        println!("{} orders, {} values stored, {} violations", count.orders, count.stored, count.violations);
        assert!(count.orders > 10_000);
        count
    }

    #[test]
    fn no_order_of_steps_lets_an_ended_session_be_read() {
        for kind in [SignOut::Answered, SignOut::Late] {
            let count = count(kind, Without::Nothing);
            assert_eq!(count.violations, 0);
            assert!(count.stored > 500);
        }
    }

    #[test]
    fn a_put_without_a_condition_is_found() {
        assert!(count(SignOut::Answered, Without::Condition).violations > 0);
    }

    #[test]
    fn a_late_sign_out_without_a_block_is_found() {
        assert!(count(SignOut::Late, Without::Block).violations > 0);
    }
}

mod scripts {
    use auth_proxy_tests::redis::Server;
    use redis::aio::MultiplexedConnection;
    use redis::{FromRedisValue, cmd};

    use super::{Model, Record};

    const GET: &str = include_str!("../../../auth-proxy-redis/src/scripts/get.lua");
    const PUT: &str = include_str!("../../../auth-proxy-redis/src/scripts/put.lua");
    const END: &str = include_str!("../../../auth-proxy-redis/src/scripts/end.lua");
    const TIME: &str = "600000";

    /// The bytes of a record, written a second time: an accidental change of the format fails here.
    fn bytes(record: &Record) -> Vec<u8> {
        let (kind, generation, stamp, linked, value) = match record {
            Record::Garbage => return b"garbage".to_vec(),
            Record::Ticket(generation) => (0, *generation, 0, &Vec::new(), None),
            Record::Value { generation, stamp, linked, value } => {
                (1, *generation, *stamp, linked, Some(*value))
            }
            Record::Block => (2, 0, 0, &Vec::new(), None),
        };
        let mut bytes = vec![1, kind];
        bytes.extend([generation; 16]);
        bytes.extend(stamp.to_be_bytes());
        bytes.extend(if kind == 1 { 600_000_u64 } else { 0 }.to_be_bytes());
        bytes.push(u8::try_from(linked.len()).unwrap());
        bytes.extend(linked.iter().flat_map(|key| [*key; 32]));
        bytes.extend(value);
        bytes
    }

    async fn run<T: FromRedisValue>(
        connection: &mut MultiplexedConnection,
        script: &str,
        key: usize,
        args: &[&[u8]],
    ) -> T {
        cmd("EVAL")
            .arg(script)
            .arg(1)
            .arg(format!("key{key}"))
            .arg(args)
            .query_async(connection)
            .await
            .unwrap()
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 16) % limit
        }
    }

    #[tokio::test]
    async fn scripts_do_what_the_model_does() {
        let server = Server::start();
        let client = redis::Client::open(server.url()).unwrap();
        let mut redis = client.get_multiplexed_async_connection().await.unwrap();
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut seen = [0; 6];
        for _ in 0..3000 {
            let mut model = Model::default();
            cmd("DEL").arg("key0").arg("key1").exec_async(&mut redis).await.unwrap();
            for _ in 0..10 {
                let key = usize::try_from(random.below(2)).unwrap();
                let generation = u8::try_from(random.below(4)).unwrap();
                match random.below(9) {
                    0..=2 => {
                        let ticket = bytes(&Record::Ticket(generation));
                        let answer: (Vec<u8>, i64) =
                            run(&mut redis, GET, key, &[&ticket, TIME.as_bytes()]).await;
                        assert_eq!(answer.0, bytes(&model.get(key, generation)));
                        seen[0] += 1;
                    }
                    3..=5 => {
                        let linked = vec![9; usize::try_from(random.below(9)).unwrap()];
                        let record =
                            Record::Value { generation, stamp: random.below(1 << 50), linked, value: 7 };
                        let args: [&[u8]; 3] = [&[generation; 16], &bytes(&record), TIME.as_bytes()];
                        let stored: i64 = run(&mut redis, PUT, key, &args).await;
                        assert_eq!(stored == 1, model.put(key, generation, record));
                        seen[usize::try_from(1 + stored).unwrap()] += 1;
                    }
                    6 | 7 => {
                        let block = random.below(3) == 0;
                        let time: &[u8] = if block { TIME.as_bytes() } else { b"0" };
                        let linked: Vec<u8> =
                            run(&mut redis, END, key, &[&bytes(&Record::Block), time]).await;
                        let expected: Vec<u8> =
                            model.end(key, block).iter().flat_map(|key| [*key; 32]).collect();
                        assert_eq!(linked, expected);
                        seen[3 + usize::from(!linked.is_empty())] += 1;
                    }
                    _ => {
                        let foreign = (random.below(2) == 0).then_some(Record::Garbage);
                        let mut command = cmd(if foreign.is_some() { "SET" } else { "DEL" });
                        command.arg(format!("key{key}"));
                        if let Some(record) = &foreign {
                            command.arg(bytes(record));
                        }
                        command.exec_async(&mut redis).await.unwrap();
                        model.records[key] = foreign;
                        seen[5] += 1;
                    }
                }
                for key in 0..2 {
                    let stored: Option<Vec<u8>> =
                        cmd("GET").arg(format!("key{key}")).query_async(&mut redis).await.unwrap();
                    assert_eq!(stored, model.records[key].as_ref().map(bytes));
                }
            }
        }
        println!("get, put refused, put, end, end with linked keys, foreign: {seen:?}");
        assert!(seen.iter().all(|times| *times > 100), "{seen:?}");
    }
}
