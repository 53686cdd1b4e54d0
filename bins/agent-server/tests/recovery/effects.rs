//! The log of what commands did, kept by the commands themselves outside of the product.

use std::collections::BTreeMap;
use std::path::Path;

/// An attempt: plan, task and number.
pub(crate) type Key = (i64, i64, u32);

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    /// In which life of the server.
    pub(crate) life: usize,
    /// `begin` or `end`.
    pub(crate) what: String,
}

/// What commands did, by attempt, in the order in which they did it.
#[derive(Debug, Default)]
pub(crate) struct Effects(BTreeMap<Key, Vec<Effect>>);

/// The variable that tells commands in which life of the server they were started: one that passes into the sandbox,
/// so that a command which outlives its server by a moment still says what it belongs to.
pub(crate) const LIFE: &str = "TERM";

/// A shell line that logs its begin, does something, and logs its end. Each line of the log is flushed.
pub(crate) fn logged(work: &str) -> String {
    let say = |what| format!("echo ${LIFE} $AGENT_IDEMPOTENCY_KEY {what} >> effects.log && sync effects.log");
    format!("{} && {work} && {}", say("begin"), say("end"))
}

impl Effects {
    pub(crate) fn read(log: &Path) -> Self {
        let mut effects = Self::default();
        for line in std::fs::read_to_string(log).unwrap_or_default().lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [life, key, what] = words[..] else { panic!("a torn line in the log of effects: {line:?}") };
            let life = life.parse().expect("the number of a life");
            effects.0.entry(parse(key)).or_default().push(Effect { life, what: what.to_owned() });
        }
        effects
    }

    /// What an attempt did.
    pub(crate) fn of(&self, key: Key) -> &[Effect] {
        self.0.get(&key).map_or(&[], Vec::as_slice)
    }

    /// How often an attempt began.
    pub(crate) fn begins(&self, key: Key) -> usize {
        self.of(key).iter().filter(|effect| effect.what == "begin").count()
    }

    /// How often any attempt at a task began.
    pub(crate) fn begins_of_task(&self, plan: i64, task: i64) -> usize {
        let attempts = self.0.keys().filter(|(of_plan, of_task, _)| (*of_plan, *of_task) == (plan, task));
        attempts.map(|key| self.begins(*key)).sum()
    }
}

/// `plan-1/task-2/attempt-3`
fn parse(key: &str) -> Key {
    let numbers: Vec<i64> = key
        .split('/')
        .map(|part| part.rsplit('-').next().unwrap_or_default().parse().expect("a number in the key"))
        .collect();
    (numbers[0], numbers[1], u32::try_from(numbers[2]).expect("an attempt"))
}
