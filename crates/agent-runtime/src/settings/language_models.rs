//! Settings of language models that say several things in one text.

use super::wrong;
use crate::error::{Error, Result};
use agent_core::ports::DailyLimits;
use agent_core::pricing::{Price, PriceList};
use agent_llm::{Provider, ToolCalling};

/// A language model that is asked when those before it cannot answer. Its key is the one that the provider's own tools
/// use, such as `ANTHROPIC_API_KEY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// Who answers.
    pub provider: Provider,
    /// Which model; the provider's usual one when absent.
    pub model: Option<String>,
    /// Where; the provider's usual address when absent.
    pub base_url: Option<String>,
}

pub(super) fn provider(word: Option<&str>) -> Result<Option<Provider>> {
    word.map(str::parse).transpose().map_err(|error| Error::Settings(format!("llm_provider: {error}")))
}

/// The known prices with those that the user gives: `MODEL=INPUT/OUTPUT` in dollars per million tokens, by commas.
pub(super) fn prices(text: Option<&str>) -> Result<PriceList> {
    let entries = text.unwrap_or_default().split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries.into_iter().try_fold(PriceList::known(), |prices, entry| {
        let right = "MODEL=INPUT/OUTPUT in US dollars per million tokens, such as my-model=0.5/1.5";
        let parsed = entry.rsplit_once('=').and_then(|(model, price)| {
            let (input, output) = price.split_once('/')?;
            let dollars =
                |text: &str| text.trim().parse().ok().filter(|price: &f64| (0.0..1e6).contains(price));
            Some((model.trim(), Price { input: dollars(input)?, output: dollars(output)? }))
        });
        let (model, price) =
            parsed.filter(|(model, _)| !model.is_empty()).ok_or_else(|| wrong("llm_prices", entry, right))?;
        Ok(prices.with(model, price))
    })
}

pub(super) fn daily_limits(tokens: Option<usize>, cost: Option<&str>) -> Result<DailyLimits> {
    let dollars = |text: &str| {
        let parsed: Option<f64> = text.trim().parse().ok();
        let right = "a number of US dollars of at least 0, such as 2.50";
        parsed
            .filter(|cost| cost.is_finite() && *cost >= 0.0)
            .ok_or_else(|| wrong("user_cost_per_day", text, right))
    };
    let max_cost = cost.map(dollars).transpose()?;
    Ok(DailyLimits { max_tokens: tokens.map(|tokens| tokens as u64), max_cost })
}

pub(super) fn tool_calling(word: Option<&str>) -> Result<ToolCalling> {
    let parsed = word.map(str::parse).transpose();
    parsed
        .map(Option::unwrap_or_default)
        .map_err(|error| Error::Settings(format!("llm_tool_calling: {error}")))
}

/// Fallbacks as `PROVIDER`, `PROVIDER:MODEL` or `PROVIDER:MODEL@URL`, by commas.
pub(super) fn fallbacks(text: Option<&str>) -> Result<Vec<Fallback>> {
    let entries = text.unwrap_or_default().split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let fallback = |entry: &str| {
        let (entry_left, base_url) = match entry.split_once('@') {
            Some((left, url)) => (left, Some(url.trim().to_owned())),
            None => (entry, None),
        };
        let (word, model) = match entry_left.split_once(':') {
            Some((word, model)) => (word, Some(model.trim().to_owned()).filter(|model| !model.is_empty())),
            None => (entry_left, None),
        };
        let provider =
            word.trim().parse::<Provider>().ok().filter(|provider| *provider != Provider::Scripted);
        let right = "PROVIDER, PROVIDER:MODEL or PROVIDER:MODEL@URL, such as anthropic:claude-haiku-4-5";
        let provider = provider.ok_or_else(|| wrong("llm_fallbacks", entry, right))?;
        Ok(Fallback { provider, model, base_url })
    };
    entries.map(fallback).collect()
}

/// Fallbacks as they are set.
pub(super) fn in_words(fallbacks: &[Fallback]) -> Option<String> {
    let word = |fallback: &Fallback| {
        let model = fallback.model.as_ref().map(|model| format!(":{model}")).unwrap_or_default();
        let url = fallback.base_url.as_ref().map(|url| format!("@{url}")).unwrap_or_default();
        format!("{}{model}{url}", fallback.provider)
    };
    let words: Vec<String> = fallbacks.iter().map(word).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_of_the_user_come_beside_those_that_are_known_and_before_them() {
        let with = |text: &str| prices(Some(text));
        let prices = with("house/coder=0.5/1.5, gpt-5-mini=0/0").unwrap();
        assert_eq!(prices.of("house/coder-2"), Some(Price { input: 0.5, output: 1.5 }));
        assert_eq!(prices.of("gpt-5-mini"), Some(Price { input: 0.0, output: 0.0 }));
        assert!(prices.of("claude-sonnet-4-5").is_some());
        for faulty in ["coder", "coder=1", "=1/2", "coder=-1/2", "coder=much/2"] {
            assert!(with(faulty).unwrap_err().to_string().contains("llm_prices"), "{faulty}");
        }
    }

    #[test]
    fn fallbacks_name_a_provider_and_what_differs_from_its_usual_ways() {
        let text =
            "anthropic:claude-haiku-4-5, ollama:qwen2.5-coder:7b, openai:coder@http://127.0.0.1:8080/v1";
        let parsed = fallbacks(Some(text)).unwrap();
        let model = |index: usize| parsed[index].model.as_deref().unwrap();
        assert_eq!([model(0), model(1), model(2)], ["claude-haiku-4-5", "qwen2.5-coder:7b", "coder"]);
        assert_eq!(parsed[2].base_url.as_deref(), Some("http://127.0.0.1:8080/v1"));
        assert_eq!(in_words(&parsed).as_deref(), Some(text));
        assert_eq!(fallbacks(None).unwrap(), []);
        assert!(fallbacks(Some("nobody:x")).unwrap_err().to_string().contains("llm_fallbacks"));
        assert!(fallbacks(Some("scripted")).is_err(), "a script never answers in the place of a model");
    }
}
