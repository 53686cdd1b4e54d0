//! What language models cost.

use crate::model::Usage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a model costs, in US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Per million tokens read.
    pub input: f64,
    /// Per million tokens written.
    pub output: f64,
}

/// Millionths of a US dollar as dollars.
pub fn dollars(micros: u64) -> f64 {
    micros as f64 / 1_000_000.0
}

impl Price {
    /// The cost of these tokens in millionths of a US dollar, rounded up: sums of it never fall short.
    ///
    /// ```
    /// use agent_core::model::Usage;
    /// use agent_core::pricing::Price;
    ///
    /// let price = Price { input: 3.0, output: 15.0 };
    /// assert_eq!(price.micros(Usage { input_tokens: 1_000, output_tokens: 100 }), 4_500);
    /// ```
    pub fn micros(self, usage: Usage) -> u64 {
        let micros = usage.input_tokens as f64 * self.input + usage.output_tokens as f64 * self.output;
        micros.max(0.0).ceil() as u64
    }
}

/// The prices of models by the beginning of their names; the longest beginning that fits counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PriceList(BTreeMap<String, Price>);

/// List prices of well-known models, per million tokens read and written. A gateway may ask for others.
const KNOWN: [(&str, f64, f64); 18] = [
    ("claude-3-5-haiku", 0.80, 4.0),
    ("claude-haiku-4", 1.0, 5.0),
    ("claude-opus-4", 15.0, 75.0),
    ("claude-opus-4-5", 5.0, 25.0),
    ("claude-sonnet-4", 3.0, 15.0),
    ("gemini-2.5-flash", 0.30, 2.5),
    ("gemini-2.5-flash-lite", 0.10, 0.40),
    ("gemini-2.5-pro", 1.25, 10.0),
    ("gpt-4.1", 2.0, 8.0),
    ("gpt-4.1-mini", 0.40, 1.6),
    ("gpt-4.1-nano", 0.10, 0.40),
    ("gpt-4o", 2.5, 10.0),
    ("gpt-4o-mini", 0.15, 0.60),
    ("gpt-5", 1.25, 10.0),
    ("gpt-5-mini", 0.25, 2.0),
    ("gpt-5-nano", 0.05, 0.40),
    ("o3", 2.0, 8.0),
    ("o4-mini", 1.1, 4.4),
];

impl PriceList {
    /// The list prices of well-known models as of November 2026; others are unknown.
    pub fn known() -> Self {
        Self(
            KNOWN
                .into_iter()
                .map(|(name, input, output)| (name.to_owned(), Price { input, output }))
                .collect(),
        )
    }

    /// The same list with another price for models whose names begin so.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, price: Price) -> Self {
        self.0.insert(name.into(), price);
        self
    }

    /// The price of a model; `None` where it is unknown. What a router puts before the name (`anthropic/…`) is passed
    /// over.
    ///
    /// ```
    /// use agent_core::pricing::PriceList;
    ///
    /// let prices = PriceList::known();
    /// assert_eq!(prices.of("gpt-5-mini-2025-08-07"), prices.of("gpt-5-mini"));
    /// assert_eq!(prices.of("qwen2.5-coder"), None);
    /// ```
    pub fn of(&self, model: &str) -> Option<Price> {
        self.longest(model).or_else(|| self.longest(model.rsplit('/').next()?))
    }

    /// The cost of an answer in US dollars; `None` where the price of the model is unknown.
    pub fn cost(&self, model: &str, usage: Usage) -> Option<f64> {
        self.of(model).map(|price| dollars(price.micros(usage)))
    }

    /// The prices that differ from the known ones, as `MODEL=INPUT/OUTPUT` by commas.
    pub fn in_words(&self) -> String {
        let known = Self::known();
        let own = self.0.iter().filter(|(name, price)| known.0.get(*name) != Some(price));
        let words = own.map(|(name, price)| format!("{name}={}/{}", price.input, price.output));
        words.collect::<Vec<_>>().join(", ")
    }

    fn longest(&self, model: &str) -> Option<Price> {
        let fits = |name: &&String| model.starts_with(name.as_str());
        self.0.keys().filter(fits).max_by_key(|name| name.len()).and_then(|name| self.0.get(name)).copied()
    }
}
