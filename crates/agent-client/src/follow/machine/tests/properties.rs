//! Over random histories, the consumer gets the log.

use super::*;
use proptest::prelude::*;

/// What befalls a server that holds a log, or the line to it.
#[derive(Debug, Clone)]
enum Fate {
    /// It tells so many events.
    Tells(u8),
    /// It tells the last event once more.
    Repeats,
    /// It leaves one out.
    Skips,
    /// The line breaks off.
    Cuts,
    /// It closes the line with a code.
    Closes(u16),
    /// It refuses to subscribe for the moment.
    IsBusy,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        5 => (1_u8..5).prop_map(Fate::Tells),
        1 => Just(Fate::Repeats),
        1 => Just(Fate::Skips),
        2 => Just(Fate::Cuts),
        1 => prop_oneof![Just(1012), Just(4408), Just(4401), Just(1001)].prop_map(Fate::Closes),
        1 => Just(Fate::IsBusy),
    ];
    proptest::collection::vec(fate, 0..60)
}

/// A server with a log of events 1 to `head`, as far as one listener sees it.
struct Server {
    head: i64,
    told: i64,
    is_honest: bool,
}

impl Server {
    /// Does what the machine says next; `fate` decides whether a subscription is answered well.
    fn follow(&mut self, machine: &mut Machine, step: Step, is_busy: bool, out: &mut Vec<i64>) {
        match step {
            Step::Nothing => {}
            Step::HandOut(update) | Step::HandOutLast(update) => {
                if let Update::Event(event) = update {
                    out.push(event.seq);
                }
            }
            Step::Subscribe => self.subscribe(machine, is_busy, out),
            Step::Leave(loss) => self.lose(machine, loss, out),
        }
    }

    fn subscribe(&mut self, machine: &mut Machine, is_busy: bool, out: &mut Vec<i64>) {
        self.told = machine.subscribe().after.unwrap_or(self.head);
        let frame = if is_busy { refused("busy") } else { subscribed(self.told) };
        let step = machine.hear(frame).unwrap();
        self.follow(machine, step, false, out);
    }

    fn lose(&mut self, machine: &mut Machine, loss: Loss, out: &mut Vec<i64>) {
        machine.lose(loss, Times::default(), 0.5).unwrap();
        self.subscribe(machine, false, out);
    }

    fn tell(&mut self, machine: &mut Machine, seq: i64, out: &mut Vec<i64>) {
        if (1..=self.head).contains(&seq) {
            let step = machine.hear(event(seq)).unwrap();
            self.is_honest = matches!(step, Step::HandOut(_));
            if self.is_honest {
                self.told = seq;
            }
            self.follow(machine, step, false, out);
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_consumer_gets_the_log_once_and_in_order(fates in fates(), after in 0_i64..5) {
        let mut server = Server { head: 60, told: after, is_honest: true };
        let mut machine = machine(wanted(PLAN, Some(after)));
        let mut out = Vec::new();
        server.subscribe(&mut machine, false, &mut out);
        for fate in fates {
            match fate {
                Fate::Tells(n) => (0..n).for_each(|_| server.tell(&mut machine, server.told + 1, &mut out)),
                // One in a row: what an honest server tells in between clears the account.
                Fate::Repeats if server.is_honest => server.tell(&mut machine, server.told, &mut out),
                Fate::Skips if server.is_honest => server.tell(&mut machine, server.told + 2, &mut out),
                Fate::Repeats | Fate::Skips => server.tell(&mut machine, server.told + 1, &mut out),
                Fate::Cuts => server.lose(&mut machine, cut(), &mut out),
                Fate::Closes(code) => server.lose(&mut machine, closed(code, "retry_after_ms=5"), &mut out),
                Fate::IsBusy => {
                    machine.lose(cut(), Times::default(), 0.5).unwrap();
                    server.subscribe(&mut machine, true, &mut out);
                }
            }
            let expected: Vec<i64> = (after + 1..).take(out.len()).collect();
            prop_assert_eq!(&out, &expected);
        }
        while server.told < server.head {
            server.tell(&mut machine, server.told + 1, &mut out);
        }
        prop_assert_eq!(out, (after + 1..=60).collect::<Vec<i64>>());
    }

    #[test]
    fn no_pause_is_shorter_than_wished_or_longer_than_can_be_endured(
        failures in 1_usize..50, wish in proptest::option::of(0_u64..10_000_000), chance in 0.0_f64..1.0,
    ) {
        let mut machine = standing(wanted(PLAN, Some(0)));
        for _ in 1..failures {
            machine.lose(cut(), Times::default(), chance).unwrap();
        }
        let reason = wish.map(|wish| format!("retry_after_ms={wish}")).unwrap_or_default();
        let Next::Open { pause } = machine.lose(closed(1012, &reason), Times::default(), chance).unwrap() else {
            panic!("nothing is to be renewed");
        };
        let wished = Duration::from_millis(wish.unwrap_or(0)).min(LONGEST_WISH);
        prop_assert!(pause >= wished && pause <= LONGEST_PAUSE.max(wished * 2));
    }
}
