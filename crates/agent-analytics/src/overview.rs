//! All that is kept of a tenant's executions as a whole, and how more of them are counted.

use crate::failures::FailureReasons;
use crate::figures::Figures;
use crate::ports::AttemptRecord;
use crate::ranking::{RankedTask, Ranking};
use agent_core::ids::TaskId;
use agent_core::pricing::PriceList;
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Attempts to be counted, and what must be known to count them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// The attempts, in the order in which they were recorded.
    pub attempts: Vec<AttemptRecord>,
    /// All attempts of the same tasks that were counted before.
    pub earlier: Vec<AttemptRecord>,
    /// The cursor up to which this is all that was recorded.
    pub through: i64,
}

/// The figures of a tenant over all its executions up to a cursor: constant in size, whatever their number.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Overview {
    /// The cursor of the last attempt that is counted.
    pub cursor: i64,
    /// Over all executions.
    pub figures: Figures,
    /// Tasks that were executed.
    pub tasks: u64,
    /// Sum of the tasks' shares of successes, each between 0 and 1.
    rates: f64,
    /// Why executions failed.
    pub failures: FailureReasons,
    pub(crate) ranking: Ranking,
}

/// By what executions are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The hour in which they ended, in UTC.
    Hour,
    /// The day on which they ended, in UTC.
    Day,
    /// The template of their plan.
    Template,
    /// The person whose plan it is.
    User,
    /// The language models that answered; an execution counts for each of them, with the tokens of each.
    Model,
}

/// One sum: a dimension, and what it is in it. Periods are their beginning, `2026-01-01T12:00:00.000Z`, so that they are in
/// order as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RollupKey {
    /// By what is added up.
    pub dimension: Dimension,
    /// What is added up: a period, a template, a user or a model.
    pub subject: String,
}

/// Figures by what they are of.
pub type Rollups = BTreeMap<RollupKey, Figures>;

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Template, Self::User, Self::Model];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Template => "template",
            Self::User => "user",
            Self::Model => "model",
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Dimension {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|dimension| dimension.as_str() == word);
        found.ok_or_else(|| format!("{word:?} is no dimension of figures"))
    }
}

impl RollupKey {
    /// The sum of this in this dimension.
    pub fn new(dimension: Dimension, subject: impl Into<String>) -> Self {
        Self { dimension, subject: subject.into() }
    }

    /// The sum of the period of this length, in microseconds, that an instant lies in.
    pub(crate) fn period(dimension: Dimension, at: Timestamp, length: i64) -> Self {
        let start = at.as_micros().div_euclid(length).saturating_mul(length);
        Self::new(dimension, Timestamp::from_micros(start).to_string())
    }
}

impl Overview {
    /// Counts a batch that begins behind this overview's cursor.
    pub fn count(&mut self, batch: &Batch, prices: &PriceList) {
        for record in &batch.attempts {
            self.figures.add(record, prices);
            self.failures.add(record);
        }
        for (earlier, all) in by_task(batch).into_values() {
            self.tasks += u64::from(earlier.is_empty());
            self.rates += share(&all) - share(&earlier);
            if let Some(task) = RankedTask::of(&all) {
                self.ranking.rank(&task);
            }
        }
        self.cursor = self.cursor.max(batch.through);
    }

    /// Mean of the tasks' success rates in percent, each task counting once however often it ran; 0 when there are none.
    pub fn average_success_rate(&self) -> f64 {
        if self.tasks == 0 { 0.0 } else { (self.rates * 100.0 / self.tasks as f64).clamp(0.0, 100.0) }
    }
}

/// The attempts of each task of a batch: those counted before, and all.
fn by_task(batch: &Batch) -> BTreeMap<TaskId, (Vec<&AttemptRecord>, Vec<&AttemptRecord>)> {
    let mut tasks: BTreeMap<TaskId, (Vec<&AttemptRecord>, Vec<&AttemptRecord>)> = BTreeMap::new();
    for record in &batch.attempts {
        tasks.entry(record.task_id).or_default();
    }
    for record in &batch.earlier {
        if let Some((earlier, all)) = tasks.get_mut(&record.task_id) {
            earlier.push(record);
            all.push(record);
        }
    }
    for record in &batch.attempts {
        tasks.entry(record.task_id).or_default().1.push(record);
    }
    tasks
}

/// The share of successes, between 0 and 1; 0 of nothing.
fn share(records: &[&AttemptRecord]) -> f64 {
    let successes = records.iter().filter(|record| record.succeeded).count();
    if records.is_empty() { 0.0 } else { successes as f64 / records.len() as f64 }
}

/// The sums to which an attempt belongs.
pub fn keys_of(record: &AttemptRecord) -> Vec<RollupKey> {
    const HOUR: i64 = 3_600_000_000;
    let mut keys = vec![
        RollupKey::period(Dimension::Hour, record.finished_at, HOUR),
        RollupKey::period(Dimension::Day, record.finished_at, 24 * HOUR),
        RollupKey::new(Dimension::User, record.user_id.to_string()),
    ];
    if let Some(template) = &record.template_id {
        keys.push(RollupKey::new(Dimension::Template, template.as_str()));
    }
    keys.extend(record.models.iter().map(|usage| RollupKey::new(Dimension::Model, usage.model.as_str())));
    keys
}

/// What attempts add to each sum that they belong to.
pub fn increments(attempts: &[AttemptRecord], prices: &PriceList) -> Rollups {
    let mut rollups = Rollups::new();
    for record in attempts {
        for key in keys_of(record) {
            let of_model = record.models.iter().find(|usage| usage.model == key.subject);
            let (tokens, cost) = match of_model.filter(|_| key.dimension == Dimension::Model) {
                Some(usage) => {
                    let tokens = usage.usage.input_tokens.saturating_add(usage.usage.output_tokens);
                    (tokens, prices.cost(&usage.model, usage.usage).unwrap_or(0.0))
                }
                None => (record.tokens, record.cost(prices)),
            };
            rollups.entry(key).or_default().add_with(record, tokens, cost);
        }
    }
    rollups
}

/// Adds figures to those that are there.
pub fn add_up(rollups: &mut Rollups, increments: &Rollups) {
    for (key, figures) in increments {
        rollups.entry(key.clone()).or_default().merge(figures);
    }
}
