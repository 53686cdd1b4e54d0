//! What a plan may use of language models: reserved before each call at its worst, settled after it.

use crate::model::Usage;
use crate::policy::Budget;
use crate::ports::{RESERVED, Step, StepKind, reserved_in};
use crate::pricing::{Price, PriceList, dollars};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Tokens of an answer that nobody has set a ceiling for.
pub(super) const USUAL_ANSWER: u64 = 8_192;
/// An answer that may be no longer than this is not worth asking for.
const SHORTEST_ANSWER: u64 = 128;
/// Under which name it keeps what calls may have cost whose answers a crash took.
const ABANDONED: &str = "abandoned";

/// What calls to models use up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::executor) struct Amount {
    pub(super) tokens: u64,
    /// Millionths of a US dollar.
    pub(super) micros: u64,
    pub(super) calls: u64,
}

impl Amount {
    fn of(usage: Usage, price: Option<Price>, calls: u64) -> Self {
        Self { tokens: usage.total(), micros: price.map_or(0, |price| price.micros(usage)), calls }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            micros: self.micros.saturating_add(other.micros),
            calls: self.calls.saturating_add(other.calls),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            micros: self.micros.saturating_sub(other.micros),
            calls: self.calls.saturating_sub(other.calls),
        }
    }

    /// The ceiling of the budget that this passes, in words.
    fn passes(self, budget: &Budget) -> Option<String> {
        if let Some(most) = budget.max_tokens.filter(|most| self.tokens > *most) {
            return Some(format!("max_tokens is {most}"));
        }
        if let Some(most) = budget.max_cost.filter(|most| dollars(self.micros) > *most) {
            return Some(format!("max_cost is {most} USD"));
        }
        budget
            .max_model_calls
            .filter(|most| self.calls > *most)
            .map(|most| format!("max_model_calls is {most}"))
    }

    fn in_words(self) -> String {
        format!("{} tokens, {:.4} USD, {} calls", self.tokens, dollars(self.micros), self.calls)
    }
}

/// What all attempts of a plan have used, and have reserved.
#[derive(Debug, Default)]
pub(in crate::executor) struct Meter {
    account: Mutex<Account>,
    settled: Notify,
}

#[derive(Debug, Default)]
struct Account {
    used: Amount,
    reserved: Amount,
}

impl Meter {
    /// One that starts with what the record says. An answer that a crash took may have been paid for: what was
    /// reserved for it counts as used, once for each crash that `crashes` says a step may have met.
    pub(in crate::executor) fn from_record(
        steps: &[Step],
        prices: &PriceList,
        crashes: impl Fn(&Step) -> u64,
    ) -> Self {
        let calls = steps.iter().filter(|step| step.intent.kind == StepKind::Model);
        let used = calls.fold(Amount::default(), |used, step| used.plus(spent(step, prices, crashes(step))));
        Self { account: Mutex::new(Account { used, reserved: Amount::default() }), settled: Notify::new() }
    }

    /// As [`Meter::reserve`]; the refusal as tasks and plans tell it.
    pub(in crate::executor) async fn reserve_or_tell(
        self: &Arc<Self>,
        worst: &Worst,
        budget: &Budget,
    ) -> Result<Reservation, String> {
        self.reserve(worst.amount(), budget).await.map_err(|why| format!("budget_exceeded: {why}"))
    }

    /// Sets aside what a call may use at most, as soon as that is certain not to pass the budget; what others have
    /// reserved is waited for. `Err` says in words which ceiling it would pass.
    pub(in crate::executor) async fn reserve(
        self: &Arc<Self>,
        worst: Amount,
        budget: &Budget,
    ) -> Result<Reservation, String> {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            {
                let mut account = self.account();
                if let Some(ceiling) = account.used.plus(worst).passes(budget) {
                    return Err(format!(
                        "{ceiling}; used so far: {}; the next call may need {}",
                        account.used.in_words(),
                        worst.in_words()
                    ));
                }
                if account.used.plus(account.reserved).plus(worst).passes(budget).is_none() {
                    account.reserved = account.reserved.plus(worst);
                    return Ok(Reservation { meter: Arc::clone(self), worst, open: true });
                }
            }
            settled.await;
        }
    }

    /// The longest answer for which the budget leaves room beside so many tokens of input.
    pub(super) fn room_for_answer(&self, budget: &Budget, input: u64, price: Option<Price>) -> Option<u64> {
        let used = self.account().used;
        let by_tokens = budget.max_tokens.map(|most| most.saturating_sub(used.tokens).saturating_sub(input));
        let by_cost =
            budget.max_cost.zip(price).filter(|(_, price)| price.output > 0.0).map(|(most, price)| {
                let left = most * 1_000_000.0 - used.micros as f64 - input as f64 * price.input;
                (left / price.output).max(0.0) as u64
            });
        let room = [by_tokens, by_cost].into_iter().flatten().min()?;
        // Too little is asked for as if there were room, so that the refusal says what is missing.
        Some(if room < SHORTEST_ANSWER { USUAL_ANSWER } else { room.min(USUAL_ANSWER) })
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        // Sums are whole even if a holder panicked.
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is set aside for one call. Dropped without a word it counts as used: nobody knows what the call cost.
#[derive(Debug)]
pub(in crate::executor) struct Reservation {
    meter: Arc<Meter>,
    worst: Amount,
    open: bool,
}

impl Reservation {
    /// The call is over and cost this.
    pub(in crate::executor) fn settle(mut self, actual: Amount) {
        self.close(actual);
    }

    fn close(&mut self, actual: Amount) {
        if std::mem::replace(&mut self.open, false) {
            let mut account = self.meter.account();
            account.reserved = account.reserved.minus(self.worst);
            account.used = account.used.plus(actual);
            drop(account);
            self.meter.settled.notify_waiters();
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let worst = self.worst;
        self.close(worst);
    }
}

/// The most that a call can use, and what it is recorded as.
#[derive(Debug, Clone, Copy)]
pub(in crate::executor) struct Worst {
    pub(in crate::executor) usage: Usage,
    price: Option<Price>,
}

impl Worst {
    pub(in crate::executor) fn new(
        input_tokens: u64,
        most_output: Option<u32>,
        price: Option<Price>,
    ) -> Self {
        let output_tokens = most_output.map_or(USUAL_ANSWER, u64::from);
        Self { usage: Usage { input_tokens, output_tokens }, price }
    }

    pub(in crate::executor) fn amount(&self) -> Amount {
        Amount::of(self.usage, self.price, 1)
    }

    /// What it came to, by the price of the model that answered.
    pub(in crate::executor) fn actual(&self, usage: Usage, answered_by: Option<Price>) -> Amount {
        Amount::of(usage, answered_by.or(self.price), 1)
    }

    /// Notes in the intent of a step what is reserved for it.
    pub(in crate::executor) fn note(&self, input: &mut Value) {
        input[RESERVED] = json!(self.usage);
    }
}

/// Notes in the result of a step what earlier calls for it may have cost.
pub(super) fn note_abandoned(step: &Step, crashes: u32, output: &mut Value) {
    if crashes > 0 {
        output[ABANDONED] = json!(times(reserved_in(&step.intent.input), u64::from(crashes)));
    }
}

fn spent(step: &Step, prices: &PriceList, crashes: u64) -> Amount {
    let price = |step: &Step| prices.of(&step.intent.name);
    let Some(result) = &step.result else {
        let reserved = reserved_in(&step.intent.input);
        return Amount::of(times(reserved, crashes), price(step), crashes);
    };
    let answered_by = result.output.get("model").and_then(Value::as_str);
    let price = answered_by.and_then(|model| prices.of(model)).or_else(|| price(step));
    let abandoned = result.output.get(ABANDONED).and_then(|usage| serde_json::from_value(usage.clone()).ok());
    let abandoned: Usage = abandoned.unwrap_or_default();
    Amount::of(result.usage.plus(abandoned), price, 1)
}

fn times(usage: Usage, factor: u64) -> Usage {
    Usage {
        input_tokens: usage.input_tokens.saturating_mul(factor),
        output_tokens: usage.output_tokens.saturating_mul(factor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(tokens: u64) -> Amount {
        Amount { tokens, micros: 0, calls: 1 }
    }

    fn tokens(most: u64) -> Budget {
        Budget { max_tokens: Some(most), ..Budget::default() }
    }

    #[tokio::test]
    async fn what_may_pass_the_budget_is_refused_before_it_is_spent() {
        let meter = Arc::new(Meter::default());
        meter.reserve(amount(60), &tokens(100)).await.unwrap().settle(amount(30));
        let refused = meter.reserve(amount(80), &tokens(100)).await.unwrap_err();
        assert!(refused.starts_with("max_tokens is 100; used so far: 30 tokens"), "{refused}");
        assert!(meter.reserve(amount(70), &tokens(100)).await.is_ok());
    }

    #[tokio::test]
    async fn sixty_four_calls_at_once_never_pass_the_budget() {
        let meter = Arc::new(Meter::default());
        let calls = (0..64).map(|_| {
            let meter = Arc::clone(&meter);
            tokio::spawn(async move {
                let Ok(reservation) = meter.reserve(amount(10), &tokens(200)).await else { return 0 };
                tokio::task::yield_now().await;
                reservation.settle(amount(7));
                7
            })
        });
        let mut spent = 0;
        for call in calls.collect::<Vec<_>>() {
            spent += call.await.unwrap();
        }
        assert!((191..=200).contains(&spent), "{spent} of 200");
    }

    #[tokio::test]
    async fn a_call_that_nobody_settles_counts_as_the_worst() {
        let meter = Arc::new(Meter::default());
        drop(meter.reserve(amount(90), &tokens(100)).await.unwrap());
        assert!(meter.reserve(amount(20), &tokens(100)).await.is_err());
    }

    #[tokio::test]
    async fn an_answer_is_asked_for_no_longer_than_the_budget_allows() {
        let meter = Arc::new(Meter::default());
        let price = Some(Price { input: 1.0, output: 10.0 });
        assert_eq!(meter.room_for_answer(&tokens(1_000), 400, None), Some(600));
        assert_eq!(meter.room_for_answer(&tokens(1_000_000), 400, None), Some(USUAL_ANSWER));
        let cost = Budget { max_cost: Some(0.01), ..Budget::default() };
        assert_eq!(meter.room_for_answer(&cost, 2_000, price), Some(800));
        assert_eq!(meter.room_for_answer(&cost, 2_000, None), None);
        assert_eq!(meter.room_for_answer(&Budget::default(), 400, price), None);
    }
}
