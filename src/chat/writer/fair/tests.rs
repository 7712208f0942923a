//! Whose work is taken when: bounds of shares and waits, and the order of each person's work.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

const CAPACITY: Capacity = Capacity {
    batch: 512,
    queue: 4096,
};
/// The heaviest piece of work that the histories hold.
const HEAVIEST: usize = 5_000;

/// A piece of work, by whose it is, which of theirs, and its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Command {
    flow: Flow,
    number: usize,
    weight: usize,
}

fn flow(tenant: i64, person: i64) -> Flow {
    (TenantId::new(tenant), PersonId::new(person))
}

struct Bench {
    queue: FairQueue<Command>,
    now: Instant,
    handed_in: HashMap<Flow, usize>,
}

impl Bench {
    fn new(capacity: Capacity) -> Self {
        Self {
            queue: FairQueue::new(capacity),
            now: Instant::now(),
            handed_in: HashMap::new(),
        }
    }

    fn push(&mut self, flow: Flow, weight: usize) -> bool {
        self.push_by(None, flow, weight)
    }

    fn push_by(&mut self, connection: Option<u64>, flow: Flow, weight: usize) -> bool {
        let number = self.handed_in.entry(flow).or_default();
        let command = Command {
            flow,
            number: *number,
            weight,
        };
        let origin = Origin { flow, connection };
        let taken = self.queue.push(origin, weight, command, self.now).is_none();
        *number += usize::from(taken);
        taken
    }

    fn push_many(&mut self, flow: Flow, weight: usize, count: usize) {
        for _ in 0..count {
            assert!(self.push(flow, weight), "there is room");
        }
    }

    fn batch(&mut self) -> Vec<Command> {
        match self.queue.take(self.now, false) {
            Next::Batch(commands) => commands,
            other => panic!("not a batch: {other:?}"),
        }
    }

    fn large(&mut self) -> Command {
        match &self.batch()[..] {
            [command] if command.weight > LARGE => *command,
            other => panic!("nothing large: {other:?}"),
        }
    }

    /// Time passes while the last transaction is written.
    fn took(&mut self, took: Duration) {
        self.now += took;
        self.queue.finished(took, self.now);
    }
}

fn weight_of(commands: &[Command], tenant: i64) -> usize {
    let own = commands
        .iter()
        .filter(|j| j.flow.0 == TenantId::new(tenant));
    own.map(|command| command.weight).sum()
}

#[test]
fn who_is_alone_has_whole_transactions() {
    let mut bench = Bench::new(CAPACITY);
    bench.push_many(flow(1, 1), 1, 1000);
    assert_eq!(bench.batch().len(), 512);
    assert_eq!(bench.batch().len(), 488);
    assert_eq!(bench.queue.take(bench.now, false), Next::Idle);
}

#[test]
fn a_tenant_and_a_person_have_a_share_while_others_are_active() {
    for others in [flow(2, 9), flow(1, 2)] {
        let mut bench = Bench::new(CAPACITY);
        bench.push_many(flow(1, 1), 1, 1000);
        bench.push(others, 1);
        let first = bench.batch();
        assert!(first.iter().any(|command| command.flow == others));
        assert_eq!(first.len(), SHARE + 1, "the others' and a share");
        // The others wait for their answer just now: who comes next shall not wait long.
        assert_eq!(bench.batch().len(), SHARE);
        bench.now += ACTIVE;
        assert_eq!(bench.batch().len(), 512, "nobody else is active any more");
    }
}

#[test]
fn who_comes_into_a_flood_of_many_people_of_one_tenant_is_in_the_next_transaction() {
    let mut bench = Bench::new(CAPACITY);
    for person in 0..1000 {
        bench.push_many(flow(1, person), 8, 3);
    }
    bench.push(flow(2, 1), 1);
    let batch = bench.batch();
    assert_eq!(weight_of(&batch, 2), 1);
    assert!(weight_of(&batch, 1) <= SHARE);
    // Those of the flood who had no turn yet have theirs before those who had.
    let mut seen: HashSet<_> = batch.iter().map(|command| command.flow.1).collect();
    for command in bench.batch() {
        assert!(seen.insert(command.flow.1), "{command:?} had its turn");
    }
}

#[test]
fn who_keeps_many_waiting_puts_nobody_out_of_a_transaction() {
    for others in [flow(2, 9), flow(1, 2)] {
        let mut bench = Bench::new(CAPACITY);
        bench.push_many(flow(1, 1), 1, 64);
        let mut flooded = 0;
        for _ in 0..50 {
            bench.push(others, 1);
            // Who floods may have a pause, who does not has none: they are in the very next transaction.
            let batch = bench.batch();
            let theirs = batch.iter().filter(|command| command.flow == others);
            assert_eq!(theirs.count(), 1, "the others are in every transaction");
            let own = batch.len() - 1;
            assert!(own <= SHARE, "{own} of one connection");
            flooded += own;
            // Each answer makes room for the next message of the same connection.
            bench.push_many(flow(1, 1), 1, own);
            bench.took(Duration::from_millis(1));
        }
        assert!(flooded > 0, "and the flood goes on");
    }
}

#[test]
fn a_connection_that_speaks_for_many_has_one_persons_turn_and_share() {
    for others in [flow(2, 9), flow(1, 99)] {
        let mut bench = Bench::new(CAPACITY);
        // 64 messages of as many people by one connection were there first.
        for person in 0..64 {
            assert!(bench.push_by(Some(7), flow(1, person), 1));
        }
        bench.push(others, 1);
        let batch = bench.batch();
        assert!(batch.iter().any(|command| command.flow == others));
        assert_eq!(batch.len(), SHARE + 1, "the others' and one share");
        assert!(
            batch[..2].iter().any(|command| command.flow == others),
            "in turns"
        );
    }
    // While it is alone it has whole transactions.
    let mut bench = Bench::new(CAPACITY);
    for person in 0..64 {
        assert!(bench.push_by(Some(7), flow(1, person), 1));
    }
    assert_eq!(bench.batch().len(), 64);
}

#[test]
fn a_persons_work_keeps_its_order_by_whatever_connections_it_comes() {
    let mut bench = Bench::new(CAPACITY);
    let ways = [None, Some(7), Some(8), Some(7), None, Some(8)];
    for connection in ways {
        for person in [1, 2, 3] {
            assert!(bench.push_by(connection, flow(1, person), 1));
        }
    }
    let batch = bench.batch();
    assert_eq!(batch.len(), 3 * ways.len());
    for person in [1, 2, 3] {
        let own = batch
            .iter()
            .filter(|command| command.flow == flow(1, person));
        let numbers: Vec<_> = own.map(|command| command.number).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
    assert_eq!(bench.queue.take(bench.now, false), Next::Idle);
}

#[test]
fn large_work_goes_alone_and_then_the_writer_is_left_to_others() {
    let mut bench = Bench::new(CAPACITY);
    bench.push_many(flow(1, 1), 1_000, 3);
    bench.push(flow(2, 1), 1);
    assert_eq!(bench.large().weight, 1_000);
    let took = Duration::from_millis(20);
    bench.took(took);
    assert_eq!(weight_of(&bench.batch(), 2), 1);
    let resumes_at = bench.now + took * PAUSE_FACTOR;
    assert_eq!(bench.queue.take(bench.now, false), Next::Pause(resumes_at));
    bench.push(flow(2, 1), 1);
    assert_eq!(bench.batch().len(), 1, "small work goes on meanwhile");
    bench.now = resumes_at;
    bench.push(flow(2, 1), 1);
    assert_eq!(bench.large().weight, 1_000, "it has its time all the same");
    assert_eq!(bench.batch().len(), 1, "and never twice before small work");
}

#[test]
fn large_work_takes_no_pauses_while_nobody_else_writes_or_the_server_stops() {
    let mut bench = Bench::new(CAPACITY);
    bench.push_many(flow(1, 1), 1_000, 3);
    bench.push(flow(1, 1), 1);
    for _ in 0..2 {
        bench.large();
        bench.took(Duration::from_secs(1));
    }
    bench.push(flow(2, 1), 1);
    bench.batch();
    assert!(matches!(bench.queue.take(bench.now, false), Next::Pause(_)));
    let last = bench.queue.take(bench.now, true);
    assert!(matches!(&last, Next::Batch(commands) if commands.len() == 1));
}

#[test]
fn who_had_most_of_a_transaction_pauses_while_others_are_active() {
    let took = Duration::from_millis(20);
    for other in [flow(2, 1), flow(1, 2)] {
        let mut bench = Bench::new(CAPACITY);
        bench.push_many(flow(1, 1), 1, 1000);
        bench.push(other, 1);
        assert_eq!(bench.batch().len(), SHARE + 1);
        bench.took(took);
        let resumes_at = bench.now + took;
        assert_eq!(bench.queue.take(bench.now, false), Next::Pause(resumes_at));
        bench.push(other, 1);
        let alone = bench.batch();
        assert_eq!((alone.len(), alone[0].flow), (1, other));
        bench.took(Duration::from_millis(1));
        assert_eq!(bench.queue.take(bench.now, false), Next::Pause(resumes_at));
        bench.now = resumes_at;
        assert_eq!(bench.batch().len(), SHARE, "it has its time all the same");
        bench.took(took);
        assert!(matches!(bench.queue.take(bench.now, true), Next::Batch(_)));
        bench.took(took);
        bench.now += ACTIVE;
        assert_eq!(bench.batch().len(), 512, "nobody else is active any more");
    }
}

#[test]
fn what_comes_while_a_transaction_waits_goes_with_it_within_the_same_shares() {
    let mut bench = Bench::new(CAPACITY);
    bench.push_many(flow(1, 1), 1, SHARE - 2);
    bench.push(flow(2, 1), 1);
    let first = bench.batch();
    assert_eq!(first.len(), SHARE - 1);
    bench.push_many(flow(1, 1), 1, 5);
    bench.push_many(flow(2, 1), 1, 3);
    bench.push(flow(2, 2), LARGE + 1);
    let more = bench.queue.take_more(bench.now);
    assert_eq!(weight_of(&more, 1), 2, "the rest of its share");
    assert_eq!(weight_of(&more, 2), 3, "and nothing large");
    assert_eq!(bench.queue.take_more(bench.now), []);
    let next = bench.batch();
    assert_eq!(
        weight_of(&next, 1) + weight_of(&next, 2),
        LARGE + 1,
        "its turn"
    );
    bench.push(flow(2, 1), 1);
    assert_eq!(
        bench.queue.take_more(bench.now),
        [],
        "what is large goes alone"
    );
}

#[test]
fn nobody_pauses_of_many_who_share_a_transaction() {
    let mut bench = Bench::new(CAPACITY);
    for tenant in 1..=3 {
        bench.push_many(flow(tenant, 1), 1, 2 * SHARE);
    }
    assert_eq!(bench.batch().len(), 3 * SHARE);
    bench.took(Duration::from_millis(20));
    assert_eq!(bench.batch().len(), 3 * SHARE);
}

#[test]
fn tenants_take_turns_with_large_work() {
    let mut bench = Bench::new(CAPACITY);
    bench.push_many(flow(1, 1), 1_000, 4);
    bench.push_many(flow(1, 2), 1_000, 4);
    bench.push_many(flow(2, 1), 1_000, 2);
    let order: Vec<_> = (0..6).map(|_| bench.large().flow).collect();
    let expected = [
        flow(1, 1),
        flow(2, 1),
        flow(1, 2),
        flow(2, 1),
        flow(1, 1),
        flow(1, 2),
    ];
    assert_eq!(order, expected);
}

#[test]
fn one_tenant_cannot_fill_the_queue_by_number_or_by_weight() {
    let mut bench = Bench::new(Capacity {
        batch: 512,
        queue: 100,
    });
    for person in 0..75 {
        assert!(bench.push(flow(1, person), 1));
    }
    assert!(!bench.push(flow(1, 99), 1), "a quarter is for others");
    for person in 0..25 {
        assert!(bench.push(flow(2, person), 1));
    }
    assert!(!bench.push(flow(3, 1), 1), "it is full");
    let mut bench = Bench::new(CAPACITY);
    let fit = TENANT_WEIGHT / 1_000;
    bench.push_many(flow(1, 1), 1_000, fit);
    assert!(!bench.push(flow(1, 2), 1_000));
    assert!(bench.push(flow(2, 1), TENANT_WEIGHT + 1), "the first fits");
    bench.large();
    assert!(bench.push(flow(1, 2), 1_000), "there is room again");
}

#[test]
fn a_queue_of_one_takes_one() {
    let mut bench = Bench::new(Capacity { batch: 1, queue: 1 });
    assert!(bench.push(flow(1, 1), 3));
    assert!(!bench.push(flow(1, 1), 1));
    assert_eq!(bench.batch().len(), 1, "though it weighs more than a batch");
    assert!(bench.push(flow(1, 1), 1));
}

/// What happens to a queue.
#[derive(Debug, Clone, Copy)]
enum TxContext {
    Push(Flow, usize),
    Take,
    Wait(u64),
}

fn context() -> impl Strategy<Value = TxContext> {
    let flow = (1..=4_i64, 1..=3_i64).prop_map(|(tenant, person)| flow(tenant, person));
    let weight = prop_oneof![
        6 => 1..=3_usize,
        2 => 1..=LARGE,
        1 => LARGE + 1..=HEAVIEST,
    ];
    prop_oneof![
        6 => (flow, weight).prop_map(|(flow, weight)| TxContext::Push(flow, weight)),
        2 => Just(TxContext::Take),
        1 => (0..800_u64).prop_map(TxContext::Wait),
    ]
}

/// What one tenant's work in the queue waited for so far: the weight of each other tenant's work that
/// was taken since it became the first.
#[derive(Debug, Default)]
struct Wait {
    others: HashMap<TenantId, usize>,
}

proptest! {
    /// No tenant waits behind more than two shares (or what is let into one) and one large piece of
    /// work of another: its first
    /// small work is in the transaction that comes next or, should that be large, in the one after
    /// it; one more goes before it if it has to pause. Each person's work keeps its order, and nothing
    /// is lost or taken twice.
    #[test]
    fn nobody_waits_behind_more_than_two_shares_and_one_large_work_of_another(
        steps in proptest::collection::vec(context(), 1..300),
    ) {
        let mut bench = Bench::new(CAPACITY);
        let mut taken: HashMap<Flow, usize> = HashMap::new();
        let mut waits: HashMap<TenantId, Wait> = HashMap::new();
        let drain = std::iter::repeat_n(TxContext::Take, 2_000);
        for context in steps.into_iter().chain(drain) {
            match context {
                TxContext::Wait(millis) => bench.now += Duration::from_millis(millis),
                TxContext::Push(flow, weight) => {
                    let idle = !bench.queue.waiting.contains_key(&flow.0);
                    if bench.push(flow, weight) && idle && weight <= LARGE {
                        waits.insert(flow.0, Wait::default());
                    }
                }
                TxContext::Take => {
                    let paused = [
                        bench.queue.paused_tenant.map(|(tenant, _)| tenant),
                        bench.queue.paused_sharer.map(|((tenant, _), _)| tenant),
                    ];
                    let commands = match bench.queue.take(bench.now, false) {
                        Next::Batch(commands) => commands,
                        Next::Pause(resumes_at) => {
                            prop_assert!(resumes_at > bench.now);
                            bench.now = resumes_at;
                            continue;
                        }
                        Next::Idle => continue,
                    };
                    let large = commands[0].weight > LARGE;
                    let total: usize = commands.iter().map(|command| command.weight).sum();
                    prop_assert!(large || total <= CAPACITY.batch);
                    for command in &commands {
                        prop_assert_eq!(large, command.weight > LARGE);
                        let next = taken.entry(command.flow).or_default();
                        prop_assert_eq!(command.number, *next, "out of order");
                        *next += 1;
                    }
                    bench.took(Duration::from_millis(10));
                    for command in &commands {
                        for (tenant, wait) in &mut waits {
                            if *tenant != command.flow.0 {
                                *wait.others.entry(command.flow.0).or_default() += command.weight;
                            }
                        }
                    }
                    for wait in waits.values().flat_map(|wait| wait.others.values()) {
                        prop_assert!(*wait <= 2 * LARGE + HEAVIEST, "{} rows", wait);
                    }
                    for command in &commands {
                        waits.remove(&command.flow.0);
                    }
                    // With four tenants everybody's first small work fits in one transaction, unless
                    // they had most of the last one.
                    let mut passed_over = waits.keys();
                    prop_assert!(large || passed_over.all(|tenant| paused.contains(&Some(*tenant))));
                }
            }
        }
        prop_assert_eq!(bench.queue.take(bench.now, false), Next::Idle);
        prop_assert_eq!(taken, bench.handed_in);
    }
}
