//! What one person's calls to language models may use.

use super::ModelUsage;
use crate::ids::Owner;
use crate::model::Usage;
use crate::pricing::{PriceList, dollars};
use crate::time::Timestamp;
use serde_json::Value;

/// Under which name the intent of a step keeps what is reserved for it.
pub(crate) const RESERVED: &str = "reserved";

/// Ceilings for one person's calls to language models within a day (UTC); `None` means no ceiling.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DailyLimits {
    /// Tokens, input and output together.
    pub max_tokens: Option<u64>,
    /// Cost in US dollars; models of unknown price count nothing.
    pub max_cost: Option<f64>,
}

impl DailyLimits {
    /// The allowance under which a call that may use this begins now; `None` where there is no ceiling.
    pub fn allowance(
        self,
        owner: Owner,
        call: ModelUsage,
        prices: &PriceList,
        now: Timestamp,
    ) -> Option<Allowance> {
        let limited = self.max_tokens.is_some() || self.max_cost.is_some();
        let since = now.start_of_day();
        limited.then(|| Allowance { owner, since, limits: self, call, prices: prices.clone() })
    }
}

/// What a call may use at most, and what the person's calls may use together. Checked in the transaction that records
/// the intent of the call, which reserves what the call may use: no number of calls at once, on any number of servers,
/// passes the ceilings.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowance {
    /// Whose calls.
    pub owner: Owner,
    /// From when on they count.
    pub since: Timestamp,
    limits: DailyLimits,
    call: ModelUsage,
    prices: PriceList,
}

impl Allowance {
    /// Which ceiling the call may pass, in words, where the person's other calls have used and reserved this.
    pub fn refusal(&self, used: &[ModelUsage]) -> Option<String> {
        let all = || used.iter().chain([&self.call]);
        let tokens: u64 = all().map(|used| used.usage.total()).fold(0, u64::saturating_add);
        if let Some(most) = self.limits.max_tokens.filter(|most| tokens > *most) {
            let before = tokens.saturating_sub(self.call.usage.total());
            return Some(format!("your calls may use {most} tokens a day; {before} are used or reserved"));
        }
        let micros =
            |used: &ModelUsage| self.prices.of(&used.model).map_or(0, |price| price.micros(used.usage));
        let dollars = dollars(all().map(micros).fold(0, u64::saturating_add));
        let most = self.limits.max_cost.filter(|most| dollars > *most)?;
        Some(format!("your calls may cost {most} USD a day; with this one they could cost {dollars:.4}"))
    }
}

/// What the intent of a step says is reserved for it.
pub fn reserved_in(input: &Value) -> Usage {
    input.get(RESERVED).and_then(|usage| serde_json::from_value(usage.clone()).ok()).unwrap_or_default()
}
