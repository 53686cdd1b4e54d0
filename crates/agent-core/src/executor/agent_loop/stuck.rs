//! Notices a model that does not get on: the same again and again, two things by turns, or nothing at all.

use crate::model::ToolCall;
use serde_json::Value;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Equal rounds in a row that are one too many.
const MOST_EQUAL: usize = 4;
/// The same where every call failed: what failed thus will fail again.
const MOST_EQUAL_FAILURES: usize = 3;
/// Answers in a row in which no tool is used.
const MOST_EMPTY: usize = 3;
/// Rounds in which two things are done by turns.
const MOST_ALTERNATING: usize = 6;
/// Fields of answers that differ although the same came of a call.
const VOLATILE: [&str; 1] = ["duration_ms"];
/// Units of time, as test runners write them.
const UNITS: [&str; 8] = ["s", "ms", "us", "µs", "ns", "sec", "second", "seconds"];

/// What came of a call, as far as it matters here.
pub(super) struct Came<'a> {
    pub(super) call: &'a ToolCall,
    pub(super) answer: &'a Value,
    pub(super) failed: bool,
}

/// What is to be done about a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It gets on.
    GettingOn,
    /// It does not, for the first time: it is told so and asked for another way.
    Rethink(String),
    /// It was told before.
    Stuck(String),
}

/// A round as it is compared with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Round {
    fingerprint: u64,
    failed: bool,
    empty: bool,
}

/// The latest rounds of an attempt.
#[derive(Debug, Default)]
pub(super) struct StuckDetector {
    rounds: VecDeque<Round>,
    told: bool,
}

impl StuckDetector {
    /// Takes a round: the calls of one answer with what came of them.
    pub(super) fn observe(&mut self, round: &[Came<'_>]) -> Verdict {
        if self.rounds.len() == MOST_ALTERNATING {
            self.rounds.pop_front();
        }
        self.rounds.push_back(Round::of(round));
        let Some(why) = self.why(round) else { return Verdict::GettingOn };
        self.rounds.clear();
        if std::mem::replace(&mut self.told, true) { Verdict::Stuck(why) } else { Verdict::Rethink(why) }
    }

    fn why(&self, round: &[Came<'_>]) -> Option<String> {
        let last = self.rounds.back()?;
        let equal = self.rounds.iter().rev().take_while(|round| *round == last).count();
        let name = round.first().map_or("nothing", |came| came.call.name.as_str());
        if last.empty {
            return (equal >= MOST_EMPTY).then(|| format!("{equal} answers in a row without using a tool"));
        }
        if equal >= MOST_EQUAL || (last.failed && equal >= MOST_EQUAL_FAILURES) {
            return Some(format!("{equal} times in a row the same ({name}) with the same outcome"));
        }
        self.alternates().then(|| format!("the same two things by turns ({name}, and what came before it)"))
    }

    fn alternates(&self) -> bool {
        let rounds: Vec<&Round> = self.rounds.iter().collect();
        rounds.len() == MOST_ALTERNATING
            && rounds[0] != rounds[1]
            && rounds.iter().enumerate().all(|(index, round)| *round == rounds[index % 2])
    }
}

impl Round {
    fn of(round: &[Came<'_>]) -> Self {
        let mut hasher = DefaultHasher::new();
        for came in round {
            came.call.name.hash(&mut hasher);
            came.call.arguments.to_string().hash(&mut hasher);
            lasting(came.answer).to_string().hash(&mut hasher);
        }
        Self {
            fingerprint: if round.is_empty() { 0 } else { hasher.finish() },
            failed: !round.is_empty() && round.iter().all(|came| came.failed),
            empty: round.is_empty(),
        }
    }
}

/// An answer without what differs each time.
fn lasting(answer: &Value) -> Value {
    match answer {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), lasting(value))).collect()
        }
        Value::Array(values) => values.iter().map(lasting).collect(),
        Value::String(text) => Value::String(without_measurements(text)),
        other => other.clone(),
    }
}

/// A text without what programs print of how long something took and where it lay in memory.
fn without_measurements(text: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(start);
        kept.push_str(before);
        let end = number.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(number.len());
        let (word, after) = number.split_at(end);
        let in_a_name = kept.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if in_a_name || !is_measurement(&kept, word, after) {
            kept.push_str(word);
        }
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// Whether a word that begins with a digit is a time (`0.02s`, `3 ms`, `duration_ms 3`) or an address (`0x7f…`).
fn is_measurement(before: &str, word: &str, after: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if !unit.is_empty() {
        return UNITS.contains(&unit) || (word.starts_with("0x") && word.len() > 8);
    }
    let next = after.strip_prefix(' ').unwrap_or(after);
    let next = next.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    UNITS.contains(&next) || before.trim_end_matches([' ', ':', '=']).ends_with("duration_ms")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Bench(StuckDetector);

    impl Bench {
        fn new() -> Self {
            Self(StuckDetector::default())
        }

        fn round(&mut self, name: &str, answer: Value, failed: bool) -> Verdict {
            let call = ToolCall { id: "1".into(), name: name.into(), arguments: json!({"path": "a"}) };
            self.0.observe(&[Came { call: &call, answer: &answer, failed }])
        }
    }

    #[test]
    fn the_fourth_equal_round_is_one_too_many_and_the_second_time_is_the_end() {
        let mut bench = Bench::new();
        for _ in 0..3 {
            assert_eq!(bench.round("read", json!("same"), false), Verdict::GettingOn);
        }
        assert!(
            matches!(bench.round("read", json!("same"), false), Verdict::Rethink(why) if why.contains("read"))
        );
        for _ in 0..3 {
            assert_eq!(bench.round("read", json!("same"), false), Verdict::GettingOn);
        }
        assert!(matches!(bench.round("read", json!("same"), false), Verdict::Stuck(_)));
    }

    #[test]
    fn the_same_call_with_another_outcome_gets_on() {
        let mut bench = Bench::new();
        for number in 0..20 {
            assert_eq!(bench.round("test", json!({"exit_code": number}), true), Verdict::GettingOn);
        }
    }

    #[test]
    fn how_long_a_command_ran_is_no_other_outcome() {
        let mut bench = Bench::new();
        let mut verdict = Verdict::GettingOn;
        for number in 0..3 {
            verdict = bench.round("test", json!({"exit_code": 1, "duration_ms": number}), true);
        }
        assert!(matches!(verdict, Verdict::Rethink(_)), "a failure may come three times: {verdict:?}");
    }

    #[test]
    fn what_test_runners_say_of_times_and_addresses_is_no_other_outcome() {
        let alike = [
            ("Ran 2 tests in 0.001s", "Ran 2 tests in 0.014s"),
            ("1 failed (3 ms)", "1 failed (12 ms)"),
            ("# duration_ms 3.2\n# fail 1", "# duration_ms 4.05\n# fail 1"),
            ("<Stack at 0x7f3a5c01d2e0>", "<Stack at 0x7f3a5c01ffff>"),
            ("took 3µs", "took 4µs"),
        ];
        for (one, other) in alike {
            assert_eq!(without_measurements(one), without_measurements(other));
        }
        for text in ["3 of 4 tests", "1.25 != 1.2", "utf8s line 3", "0x10", "v1.2.3", "größe 5"] {
            assert_eq!(without_measurements(text), text);
        }
    }

    #[test]
    fn two_things_by_turns_are_noticed() {
        let mut bench = Bench::new();
        let verdicts: Vec<Verdict> =
            (0..6).map(|number| bench.round(["read", "list"][number % 2], json!("same"), false)).collect();
        assert!(verdicts[..5].iter().all(|verdict| *verdict == Verdict::GettingOn), "{verdicts:?}");
        assert!(matches!(&verdicts[5], Verdict::Rethink(why) if why.contains("by turns")));
    }

    #[test]
    fn answers_without_a_tool_are_noticed() {
        let mut detector = StuckDetector::default();
        assert_eq!(detector.observe(&[]), Verdict::GettingOn);
        assert_eq!(detector.observe(&[]), Verdict::GettingOn);
        assert!(
            matches!(detector.observe(&[]), Verdict::Rethink(why) if why.contains("without using a tool"))
        );
    }
}
