//! What a listener can rely on: every event of its topic once and in order, from where it asked.

use crate::log::{Log, PATIENCE, SOON, is_silent, is_silent_now, next, take};
use agent_core::event::{Event, Topic};
use agent_core::ids::{Owner, PlanId, TaskId, TenantId, UserId};
use agent_core::ports::CommitListener;
use agent_core::transient::{Audience, Transient, TransientBody};
use agent_events::{Error, Hub, Wakes, position};
use futures_util::{FutureExt, StreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(crate) struct Stage {
    pub(crate) log: Arc<Log>,
    wakes: Arc<Wakes>,
    pub(crate) hub: Hub,
}

pub(crate) fn stage() -> Stage {
    let (log, wakes) = (Arc::new(Log::default()), Arc::new(Wakes::new()));
    let hub = Hub::new(wakes.clone(), log.clone()).looking_every(PATIENCE);
    Stage { log, wakes, hub }
}

impl Stage {
    pub(crate) fn commit(&self, plan: i64, owner: i64, messages: &[&str]) {
        let events = self.log.write(plan, owner, messages);
        self.wakes.committed(&events);
    }
}

pub(crate) const PLAN: Topic = Topic::Plan(TenantId::DEFAULT, PlanId(1));
const OWNER: Topic = Topic::Owner(Owner { tenant: TenantId::DEFAULT, user: UserId(1) });

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_joins_while_others_write_gets_the_log_exactly_once_in_order() {
    let stage = Arc::new(stage());
    let writers: Vec<_> = (1..=3_i64)
        .map(|plan| {
            let stage = stage.clone();
            tokio::spawn(async move {
                for round in 0..150 {
                    let messages = ["a", "b", "c"];
                    stage.commit(plan, plan % 2, &messages[..=(round % 3)]);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut listeners = Vec::new();
    for index in 0..60_i64 {
        let topic =
            [PLAN, OWNER, Topic::Everything, Topic::Plan(TenantId::DEFAULT, PlanId(2))][(index % 4) as usize];
        let seen = stage.log.all(topic);
        let after = match index % 3 {
            0 => None,
            1 => Some(0),
            _ => seen.get(seen.len() / 2).map(|event| position(topic, event)),
        };
        let mut subscription = stage.hub.subscribe(topic, after).await.unwrap();
        assert!(after.is_none_or(|after| after == subscription.start));
        let stage = stage.clone();
        listeners.push(tokio::spawn(async move {
            let last = [300, 600, 900, 300][(index % 4) as usize];
            let before =
                stage.log.all(topic).iter().filter(|e| position(topic, e) <= subscription.start).count();
            let heard = take(&mut subscription, last - before).await;
            let expected: Vec<Event> = stage
                .log
                .all(topic)
                .into_iter()
                .filter(|e| position(topic, e) > subscription.start)
                .collect();
            assert_eq!(heard, expected, "listener {index} of {topic:?}");
            assert!(is_silent(&mut subscription).await, "listener {index} heard something twice");
        }));
        tokio::task::yield_now().await;
    }
    for task in writers.into_iter().chain(listeners) {
        task.await.unwrap();
    }
    assert_eq!(stage.wakes.listeners(), 0, "listeners that left are forgotten");
}

#[tokio::test]
async fn coming_back_after_any_event_continues_with_the_next() {
    let stage = stage();
    stage.commit(1, 1, &["x"; 25]);
    for cut in 0..=25_i64 {
        let mut first = stage.hub.subscribe(PLAN, Some(0)).await.unwrap();
        let mut heard = take(&mut first, cut as usize).await;
        drop(first);
        let mut second = stage.hub.subscribe(PLAN, Some(cut)).await.unwrap();
        heard.extend(take(&mut second, 25 - cut as usize).await);
        assert_eq!(heard, stage.log.all(PLAN));
    }
}

#[tokio::test]
async fn a_long_past_comes_in_pages_and_then_the_present_without_reading() {
    let stage = stage();
    stage.commit(1, 1, &["x"; 1_000]);
    let mut subscription = stage.hub.subscribe(PLAN, Some(0)).await.unwrap();
    assert_eq!(take(&mut subscription, 1_000).await, stage.log.all(PLAN));
    assert!(is_silent(&mut subscription).await);
    let reads = stage.log.reads.load(Ordering::SeqCst);
    assert_eq!(reads, 12, "8, 32, nine times 100 and 60; that the present begins there is known");
    for _ in 0..50 {
        stage.commit(1, 1, &["live"]);
        take(&mut subscription, 1).await;
    }
    assert_eq!(stage.log.reads.load(Ordering::SeqCst), reads, "live events of a plan come with the wake-up");
}

#[tokio::test]
async fn without_a_position_only_what_comes_later_is_told() {
    let stage = stage();
    stage.commit(1, 1, &["old", "old"]);
    let mut subscription = stage.hub.subscribe(PLAN, None).await.unwrap();
    assert_eq!(subscription.start, 2);
    stage.commit(1, 1, &["new"]);
    assert_eq!(take(&mut subscription, 1).await[0].seq, 3);
}

#[tokio::test]
async fn a_position_beyond_the_newest_event_is_refused_with_the_newest() {
    let stage = stage();
    stage.commit(1, 1, &["one", "two"]);
    stage.hub.subscribe(PLAN, Some(2)).await.unwrap();
    let error = stage.hub.subscribe(PLAN, Some(3)).await.unwrap_err();
    assert!(matches!(error, Error::CursorBeyondHead { after: 3, head: 2 }), "{error}");
    assert!(matches!(
        stage.hub.subscribe(Topic::Plan(TenantId::DEFAULT, PlanId(9)), Some(1)).await,
        Err(Error::CursorBeyondHead { head: 0, .. })
    ));
    assert_eq!(stage.wakes.listeners(), 0);
}

#[tokio::test]
async fn a_lost_wake_up_costs_delay_and_no_event() {
    let mut stage = stage();
    stage.hub = stage.hub.looking_every(SOON);
    for topic in [PLAN, OWNER, Topic::Everything] {
        let mut subscription = stage.hub.subscribe(topic, None).await.unwrap();
        stage.log.write(1, 1, &["nobody was told"]);
        assert_eq!(take(&mut subscription, 1).await, [stage.log.all(topic).pop().unwrap()]);
    }
}

#[tokio::test]
async fn a_wake_up_after_a_lost_one_brings_both_events() {
    let stage = stage();
    let mut subscription = stage.hub.subscribe(PLAN, None).await.unwrap();
    assert!(is_silent(&mut subscription).await);
    stage.log.write(1, 1, &["lost"]);
    stage.commit(1, 1, &["told"]);
    assert_eq!(take(&mut subscription, 2).await, stage.log.all(PLAN));
}

#[tokio::test]
async fn a_wake_up_that_comes_twice_or_late_repeats_nothing() {
    let stage = stage();
    let mut subscription = stage.hub.subscribe(PLAN, None).await.unwrap();
    let first = stage.log.write(1, 1, &["first"]);
    let second = stage.log.write(1, 1, &["second"]);
    for wake in [&second, &first, &second, &first] {
        stage.wakes.committed(wake);
    }
    assert_eq!(take(&mut subscription, 2).await, stage.log.all(PLAN));
    assert!(is_silent(&mut subscription).await);
}

#[tokio::test]
async fn an_owner_hears_of_all_their_plans_and_of_nobody_elses() {
    let stage = stage();
    let mut mine = stage.hub.subscribe(OWNER, Some(0)).await.unwrap();
    let mut everything = stage.hub.subscribe(Topic::Everything, Some(0)).await.unwrap();
    for round in 0..20 {
        stage.commit(1 + round % 2, 1, &["mine"]);
        stage.commit(3, 2, &["theirs"]);
    }
    let heard = take(&mut mine, 20).await;
    assert!(heard.iter().all(|event| event.owner.user == UserId(1)));
    assert_eq!(heard, stage.log.all(OWNER));
    assert!(is_silent(&mut mine).await);
    assert_eq!(take(&mut everything, 40).await, stage.log.all(Topic::Everything));
}

#[tokio::test]
async fn a_listener_that_sleeps_through_thousands_of_commits_misses_none() {
    let stage = stage();
    let mut slow = stage.hub.subscribe(PLAN, None).await.unwrap();
    assert!(is_silent(&mut slow).await);
    for _ in 0..3_000 {
        stage.commit(1, 1, &["x"]);
    }
    assert_eq!(take(&mut slow, 3_000).await, stage.log.all(PLAN));
}

#[tokio::test]
async fn what_is_too_large_to_be_kept_for_all_is_read_from_the_log() {
    let stage = stage();
    let mut subscription = stage.hub.subscribe(PLAN, None).await.unwrap();
    assert!(is_silent(&mut subscription).await);
    let reads = stage.log.reads.load(Ordering::SeqCst);
    stage.commit(1, 1, &[&"x".repeat(3_000_000), "small"]);
    assert_eq!(take(&mut subscription, 2).await, stage.log.all(PLAN));
    assert!(stage.log.reads.load(Ordering::SeqCst) > reads);
}

#[tokio::test]
async fn many_who_follow_everything_read_the_log_once_for_all() {
    let stage = stage();
    let mut listeners = Vec::new();
    for _ in 0..100 {
        let mut listener = stage.hub.subscribe(Topic::Everything, None).await.unwrap();
        assert!(is_silent_now(&mut listener).await);
        listeners.push(listener);
    }
    let reads = stage.log.reads.load(Ordering::SeqCst);
    for round in 0..10 {
        stage.commit(1 + round % 2, 1, &["one", "two"]);
        for listener in &mut listeners {
            take(listener, 2).await;
        }
    }
    assert_eq!(stage.log.reads.load(Ordering::SeqCst) - reads, 10, "one read a commit, for a hundred");
}

#[tokio::test]
async fn who_is_behind_goes_through_the_log_and_then_joins_the_others() {
    let stage = stage();
    let mut quick = stage.hub.subscribe(PLAN, Some(0)).await.unwrap();
    let mut slow = stage.hub.subscribe(PLAN, Some(0)).await.unwrap();
    stage.commit(1, 1, &["x"; 10]);
    take(&mut quick, 10).await;
    take(&mut slow, 3).await;
    for _ in 0..2_000 {
        stage.commit(1, 1, &["y"]);
        take(&mut quick, 1).await;
    }
    let heard = take(&mut slow, 2_007).await;
    assert_eq!(heard, stage.log.all(PLAN)[3..]);
    assert!(is_silent(&mut slow).await);
}

#[tokio::test]
async fn what_passes_is_told_to_those_who_want_it_and_moves_no_position() {
    let stage = stage();
    let mut events = stage.hub.subscribe(PLAN, None).await.unwrap();
    let owner = Owner { tenant: TenantId::DEFAULT, user: UserId(1) };
    let word = |text: &str| Transient {
        plan_id: PlanId(1),
        owner,
        task_id: TaskId(1),
        attempt: 1,
        body: TransientBody::ModelText { text: text.to_owned() },
    };
    assert!(!stage.wakes.watches(PlanId(1), owner));
    stage.wakes.show(word("before anybody listened"));
    let mut of_plan = stage.hub.transients(PLAN);
    let mut of_owner = stage.hub.transients(OWNER);
    let mut of_another = stage.hub.transients(Topic::Plan(TenantId::DEFAULT, PlanId(2)));
    assert!(stage.wakes.watches(PlanId(1), owner));
    stage.wakes.show(word("Bui"));
    for heard in [&mut of_plan, &mut of_owner] {
        assert_eq!(*heard.next().await.unwrap(), word("Bui"));
    }
    assert!(of_another.next().now_or_never().is_none());
    stage.commit(1, 1, &["built"]);
    assert_eq!(take(&mut events, 1).await[0].seq, 1);
}

#[tokio::test]
async fn a_slow_listener_loses_what_passes_and_no_event() {
    let stage = stage();
    let mut events = stage.hub.subscribe(PLAN, None).await.unwrap();
    let mut passing = stage.hub.transients(PLAN);
    let owner = Owner { tenant: TenantId::DEFAULT, user: UserId(1) };
    for number in 0..1_000 {
        let body = TransientBody::ModelText { text: number.to_string() };
        stage.wakes.show(Transient { plan_id: PlanId(1), owner, task_id: TaskId(1), attempt: 1, body });
        stage.commit(1, 1, &["x"]);
    }
    let mut left = 0;
    while passing.next().now_or_never().is_some() {
        left += 1;
    }
    assert_eq!(left, 64, "the newest are left");
    assert_eq!(take(&mut events, 1_000).await, stage.log.all(PLAN));
}

#[tokio::test]
async fn large_events_are_read_a_few_at_a_time() {
    let stage = stage();
    for _ in 0..40 {
        stage.commit(1, 1, &[&"x".repeat(100_000)]);
    }
    let mut subscription = stage.hub.subscribe(PLAN, Some(0)).await.unwrap();
    assert_eq!(take(&mut subscription, 40).await, stage.log.all(PLAN));
    assert_eq!(
        stage.log.reads.load(Ordering::SeqCst),
        1 + 39,
        "of the first few only what fits, then one by one"
    );
}

#[tokio::test]
async fn many_listeners_share_one_text_of_each_event() {
    let stage = stage();
    let mut subscriptions = Vec::new();
    for index in 0..200 {
        let topic = [PLAN, OWNER, Topic::Everything][index % 3];
        subscriptions.push(stage.hub.subscribe(topic, Some(0)).await.unwrap());
    }
    stage.commit(1, 1, &["one", "two"]);
    let mut texts: HashMap<i64, Arc<str>> = HashMap::new();
    for subscription in &mut subscriptions {
        for _ in 0..2 {
            let envelope = next(subscription).await.unwrap();
            let shared = texts.entry(envelope.event.cursor).or_insert_with(|| envelope.json.clone());
            assert!(Arc::ptr_eq(shared, &envelope.json));
        }
    }
    assert_eq!(texts.len(), 2);
}

#[tokio::test]
async fn idle_listeners_share_their_look_at_the_log() {
    let mut stage = stage();
    stage.hub = stage.hub.looking_every(Duration::from_millis(400));
    let mut subscriptions = Vec::new();
    for plan in 0..100 {
        subscriptions
            .push(stage.hub.subscribe(Topic::Plan(TenantId::DEFAULT, PlanId(plan)), None).await.unwrap());
    }
    let polled =
        subscriptions.iter_mut().map(|s| tokio::time::timeout(Duration::from_secs(1), s.stream.next()));
    let outcomes = futures_util::future::join_all(polled).await;
    assert!(outcomes.iter().all(Result::is_err), "nothing happened, so nothing is told");
    let looks = stage.log.looks.load(Ordering::SeqCst);
    assert!((1..=10).contains(&looks), "{looks} looks for 100 listeners over a second");
}

#[tokio::test]
async fn a_log_out_of_reach_is_reported_and_the_stream_goes_on_when_it_is_back() {
    let mut stage = stage();
    stage.hub = stage.hub.looking_every(SOON);
    let mut subscription = stage.hub.subscribe(Topic::Everything, Some(0)).await.unwrap();
    stage.log.unplugged.store(true, Ordering::SeqCst);
    assert!(matches!(stage.hub.subscribe(PLAN, Some(1)).await, Err(Error::Log(_))));
    stage.commit(1, 1, &["meanwhile"]);
    assert!(matches!(next(&mut subscription).await, Err(Error::Log(_))));
    assert!(matches!(next(&mut subscription).await, Err(Error::Log(_))));
    stage.log.unplugged.store(false, Ordering::SeqCst);
    assert_eq!(take(&mut subscription, 1).await, stage.log.all(Topic::Everything));
}
