//! The decisions, one by one; over random histories in [`properties`].

mod properties;

use super::*;
use crate::error::Problem;
use agent_core::ids::PlanId;
use serde_json::json;

const PLAN: Topic = Topic::Plan(PlanId(1));

fn wanted(topic: Topic, after: Option<i64>) -> Wanted {
    Wanted {
        topic,
        after,
        epoch: None,
        only: Vec::new(),
        transient: false,
        until_ended: false,
        give_up_after: None,
    }
}

fn machine(wanted: Wanted) -> Machine {
    Machine::new(wanted, &Retries::default())
}

/// A machine that has subscribed.
fn standing(wanted: Wanted) -> Machine {
    let mut machine = machine(wanted);
    let said = machine.subscribe();
    machine.hear(subscribed(said.after.unwrap_or(7))).unwrap();
    machine
}

fn subscribed(seq: i64) -> ServerFrame {
    ServerFrame::Subscribed { topic: "plan_1".to_owned(), seq, epoch: None }
}

fn event(seq: i64) -> ServerFrame {
    named(seq, "task_skipped", "reason", "x")
}

fn named(seq: i64, name: &str, field: &str, value: &str) -> ServerFrame {
    let whole = json!({"seq": seq, "cursor": seq * 10, "event": name, "plan_id": 1, "topic": "plan_1",
                       "timestamp": "2026-01-01T12:00:00.000Z", "summary": "s", field: value});
    ServerFrame::read(&whole.to_string()).unwrap()
}

fn refused(code: &str) -> ServerFrame {
    ServerFrame::Refused { code: code.to_owned(), detail: "d".to_owned() }
}

fn closed(code: u16, reason: &str) -> Loss {
    Loss::Closed { code, reason: reason.to_owned() }
}

fn answered(status: u16, retry_after: Option<Duration>) -> Loss {
    Loss::Answered(Box::new(Problem::read(status, b"", retry_after)))
}

fn cut() -> Loss {
    Loss::Cut("cut".to_owned())
}

fn handed(step: Step) -> Option<i64> {
    match step {
        Step::HandOut(Update::Event(event)) | Step::HandOutLast(Update::Event(event)) => Some(event.seq),
        _ => None,
    }
}

fn lose(machine: &mut Machine, loss: Loss) -> Result<Duration> {
    machine.lose(loss, Times::default(), 0.0).map(|next| match next {
        Next::Open { pause } | Next::Renew { pause, .. } => pause,
    })
}

#[test]
fn the_first_try_comes_at_once_and_later_ones_with_growing_pauses() {
    let mut machine = standing(wanted(PLAN, Some(0)));
    let pauses: Vec<u128> = (0..12).map(|_| lose(&mut machine, cut()).unwrap().as_millis()).collect();
    assert_eq!(pauses, [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000, 15_000]);
    machine.subscribe();
    machine.hear(subscribed(0)).unwrap();
    assert_eq!(lose(&mut machine, cut()).unwrap().as_millis(), 15_000, "a subscription alone gains nothing");
    machine.subscribe();
    machine.hear(subscribed(0)).unwrap();
    assert_eq!(handed(machine.hear(event(1)).unwrap()), Some(1));
    assert_eq!(lose(&mut machine, cut()).unwrap(), Duration::ZERO, "an event does");
    let times = Times { lived: STEADY, outage: Duration::ZERO };
    lose(&mut machine, cut()).unwrap();
    let next = machine.lose(cut(), times, 0.0).unwrap();
    assert!(matches!(next, Next::Open { pause: Duration::ZERO }), "and so does time");
}

#[test]
fn a_server_that_stops_says_when_to_come_back() {
    let mut machine = standing(wanted(PLAN, Some(0)));
    let stopping = || closed(1012, "the server is stopping; come back with `after`; retry_after_ms=2000");
    assert_eq!(lose(&mut machine, stopping()).unwrap(), Duration::from_secs(3));
    let next = machine.lose(stopping(), Times::default(), 1.0).unwrap();
    assert!(matches!(next, Next::Open { pause } if pause == Duration::from_secs(4)));
    let long = closed(1012, "retry_after_ms=99999999999");
    assert_eq!(lose(&mut machine, long).unwrap(), LONGEST_WISH + LONGEST_WISH / 2);
    let mut machine = standing(wanted(PLAN, Some(0)));
    let busy = answered(503, Some(Duration::from_secs(2)));
    assert_eq!(lose(&mut machine, busy).unwrap(), Duration::from_secs(3));
    for odd in ["retry_after_ms=", "retry_after_ms=x", "retry_after_ms=-5", "99999999999999999999999999"] {
        assert_eq!(closed(1012, odd).wish(), None, "{odd}");
    }
}

#[test]
fn every_way_to_lose_a_line_has_its_consequence() {
    let open = ["1000", "1001", "1005", "1011", "1012", "1013", "4000", "4408", "4999"];
    for code in open {
        let mut machine = standing(wanted(PLAN, Some(0)));
        assert!(lose(&mut machine, closed(code.parse().unwrap(), "")).is_ok(), "{code}");
    }
    for code in [1002, 1003, 1007, 1008, 1009, 1010] {
        let mut machine = standing(wanted(PLAN, Some(0)));
        let end = lose(&mut machine, closed(code, "")).unwrap_err();
        assert!(matches!(end, Error::Closed { code: found, .. } if found == code), "{code}");
    }
    for (status, goes_on) in
        [(429, true), (502, true), (503, true), (504, true), (403, false), (404, false), (500, false)]
    {
        let mut machine = standing(wanted(PLAN, Some(0)));
        assert_eq!(lose(&mut machine, answered(status, None)).is_ok(), goes_on, "{status}");
    }
    let mut machine = standing(wanted(PLAN, Some(0)));
    assert!(matches!(lose(&mut machine, Loss::Foreign(String::new())), Err(Error::Protocol { .. })));
}

#[test]
fn a_credential_is_renewed_once_between_two_subscriptions() {
    let mut machine = standing(wanted(PLAN, Some(0)));
    let next = machine.lose(closed(4401, "the token has expired"), Times::default(), 0.0).unwrap();
    assert!(matches!(next, Next::Renew { pause: Duration::ZERO, otherwise: None }));
    let end = lose(&mut machine, answered(401, None)).unwrap_err();
    assert_eq!(end.problem().map(|problem| problem.status), Some(401));

    let mut machine = standing(wanted(PLAN, Some(0)));
    lose(&mut machine, closed(4401, "the token has expired")).unwrap();
    machine.subscribe();
    machine.hear(subscribed(0)).unwrap();
    assert!(lose(&mut machine, closed(4401, "again")).is_ok(), "there was a subscription in between");
    let end = lose(&mut machine, closed(4401, "again")).unwrap_err();
    assert!(matches!(end, Error::Unauthenticated { reason } if reason == "again"));

    let mut machine = standing(wanted(PLAN, Some(0)));
    let next = machine.lose(answered(401, None), Times::default(), 0.0).unwrap();
    assert!(matches!(next, Next::Renew { otherwise: Some(Error::Problem(_)), .. }));
    machine.not_renewed();
    assert!(
        lose(&mut machine, answered(401, None)).is_ok(),
        "it could not be renewed then, so it is tried again"
    );
}

#[test]
fn a_server_that_was_never_there_is_given_up_and_one_that_was_is_not() {
    let mut fresh = machine(wanted(PLAN, Some(0)));
    for _ in 1..Retries::default().attempts {
        lose(&mut fresh, cut()).unwrap();
    }
    assert!(matches!(lose(&mut fresh, cut()), Err(Error::Unreachable { attempts: 4, .. })));

    let mut fresh = machine(wanted(PLAN, Some(0)));
    for _ in 1..Retries::default().attempts {
        lose(&mut fresh, answered(503, None)).unwrap();
    }
    let end = lose(&mut fresh, answered(503, None)).unwrap_err();
    assert_eq!(end.problem().map(|problem| problem.status), Some(503), "it is there, and says what is wrong");

    let limited = Wanted { give_up_after: Some(Duration::from_secs(5)), ..wanted(PLAN, Some(0)) };
    for (wanted, outage, goes_on) in
        [(wanted(PLAN, Some(0)), 1_000_000, true), (limited.clone(), 4, true), (limited, 5, false)]
    {
        let mut machine = standing(wanted);
        let times = Times { lived: Duration::ZERO, outage: Duration::from_secs(outage) };
        assert_eq!(machine.lose(cut(), times, 0.0).is_ok(), goes_on, "{outage} s");
    }
}

#[test]
fn what_was_told_twice_or_left_out_is_asked_for_again_from_the_right_place() {
    for odd in [1, 2, 4, 9] {
        let mut machine = standing(wanted(PLAN, Some(0)));
        for seq in [1, 2] {
            assert_eq!(handed(machine.hear(event(seq)).unwrap()), Some(seq));
        }
        assert!(matches!(machine.hear(event(odd)).unwrap(), Step::Subscribe), "{odd}");
        assert_eq!(machine.subscribe().after, Some(2));
        assert!(
            matches!(machine.hear(event(3)).unwrap(), Step::Nothing),
            "that is of the earlier subscription"
        );
        machine.hear(subscribed(2)).unwrap();
        assert_eq!(handed(machine.hear(event(3)).unwrap()), Some(3));
    }
}

#[test]
fn a_server_that_leaves_something_out_again_and_again_ends_it() {
    let mut machine = standing(wanted(PLAN, Some(0)));
    for _ in 1..MAX_STRIKES {
        assert!(matches!(machine.hear(event(2)).unwrap(), Step::Subscribe));
        machine.subscribe();
        machine.hear(subscribed(0)).unwrap();
    }
    let end = machine.hear(event(2)).unwrap_err().to_string();
    assert!(end.contains("event 2 of plan_1 was told behind 0"), "{end}");
}

#[test]
fn gaps_are_normal_where_only_some_events_are_wanted_or_all_plans_are() {
    let only = Wanted { only: vec!["task_skipped".to_owned()], ..wanted(PLAN, Some(0)) };
    let mut machine = standing(only);
    assert_eq!(handed(machine.hear(event(5)).unwrap()), Some(5));
    assert_eq!(machine.subscribe().after, Some(5));

    let mut machine = standing_in_all();
    for (seq, after) in [(1, 10), (4, 40)] {
        assert_eq!(handed(machine.hear(in_all(event(seq))).unwrap()), Some(seq));
        assert_eq!(machine.position, Some(after), "positions are cursors");
    }
    assert!(matches!(machine.hear(in_all(event(4))).unwrap(), Step::Subscribe), "and none comes twice");
}

fn standing_in_all() -> Machine {
    let mut machine = machine(wanted(Topic::All, Some(0)));
    machine.subscribe();
    machine.hear(ServerFrame::Subscribed { topic: "all".to_owned(), seq: 0, epoch: None }).unwrap();
    machine
}

fn in_all(frame: ServerFrame) -> ServerFrame {
    match frame {
        ServerFrame::Event { told, .. } => ServerFrame::Event { topic: "all".to_owned(), told },
        other => other,
    }
}

#[test]
fn who_wants_what_comes_from_now_on_resumes_from_where_that_began() {
    let mut machine = machine(wanted(PLAN, None));
    assert_eq!(machine.subscribe().after, None);
    lose(&mut machine, cut()).unwrap();
    assert_eq!(machine.subscribe().after, None, "nothing is known yet");
    let step = machine.hear(subscribed(41)).unwrap();
    assert!(matches!(step, Step::HandOut(Update::Connected { after: 41, epoch: None })));
    lose(&mut machine, cut()).unwrap();
    assert_eq!(machine.subscribe().after, Some(41));
}

#[test]
fn the_epoch_that_the_server_names_is_sent_back() {
    let mut machine = machine(wanted(PLAN, Some(3)));
    assert_eq!(machine.subscribe().epoch, None);
    let topic = || "plan_1".to_owned();
    machine.hear(ServerFrame::Subscribed { topic: topic(), seq: 3, epoch: Some("e1".to_owned()) }).unwrap();
    lose(&mut machine, cut()).unwrap();
    assert_eq!(machine.subscribe().epoch, Some("e1".to_owned()));
    let reset = Reset::of(topic(), ResetReason::Epoch);
    assert!(matches!(machine.hear(ServerFrame::Reset(reset)), Err(Error::Reset(_))));
}

#[test]
fn an_older_server_is_asked_in_its_own_words() {
    let picky = Wanted { only: vec!["task_skipped".to_owned()], transient: true, ..wanted(PLAN, Some(0)) };
    let mut machine = machine(picky);
    assert_eq!(machine.subscribe().events, ["task_skipped"]);
    assert!(matches!(machine.hear(refused("malformed_message")).unwrap(), Step::Subscribe));
    let said = machine.subscribe();
    assert_eq!((said.events.len(), said.transient, said.after), (0, false, Some(0)));
    machine.hear(subscribed(0)).unwrap();
    let other = named(1, "plan_updated", "status", "running");
    assert!(matches!(machine.hear(other).unwrap(), Step::Nothing));
    assert_eq!(handed(machine.hear(event(2)).unwrap()), Some(2));
    assert!(matches!(machine.hear(event(4)).unwrap(), Step::Subscribe), "it tells all, so nothing may lack");
    machine.subscribe();
    assert!(
        matches!(machine.hear(refused("malformed_message")), Err(Error::Refused { .. })),
        "once is enough"
    );
}

#[test]
fn a_refused_subscription_ends_it_unless_it_is_for_the_moment() {
    for (code, goes_on) in
        [("plan_not_found", false), ("forbidden", false), ("unavailable", true), ("busy", true)]
    {
        let mut machine = machine(wanted(PLAN, Some(0)));
        machine.subscribe();
        assert_eq!(machine.hear(refused(code)).is_ok(), goes_on, "{code}");
    }
    let mut machine = machine(wanted(PLAN, Some(99)));
    machine.subscribe();
    let end = machine.hear(refused("after_beyond_head")).unwrap_err();
    assert!(matches!(end, Error::Reset(reset) if reset.reason == ResetReason::Future));
}

#[test]
fn the_end_of_the_plan_is_the_end_where_that_is_wanted() {
    let mut machine = standing(Wanted { until_ended: true, ..wanted(PLAN, Some(0)) });
    let running = machine.hear(named(1, "plan_updated", "status", "running")).unwrap();
    assert!(matches!(running, Step::HandOut(_)));
    let failed = machine.hear(named(2, "plan_updated", "status", "failed")).unwrap();
    assert!(matches!(failed, Step::HandOutLast(_)));
}
