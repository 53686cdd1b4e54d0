//! Exchanges with a real server, recorded once and replayed in every run. What is recorded lies at
//! the HTTP boundary, so that everything above it (the client, the streams, the parsers) is real.
//!
//! To record anew, start a server with a small context and name it:
//!
//! ```text
//! LOCAL_LLM_CONTEXT=1024 tests/start-local-llm.sh 18080
//! AGENT_RECORD_CASSETTES=http://127.0.0.1:18080 cargo test -p agent-llm --test cassettes recorder::
//! ```
//!
//! A cassette is JSON lines with one exchange on each; see `cassette.rs`. None is edited by hand.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot be set up must fail, and recording tells what it does"
)]

mod cassette;
mod differences;
mod player;
mod reading;
mod recorder;
mod replaying;
mod scenarios;
mod server;

use agent_core::ports::LanguageModel;
use agent_llm::{LlmSettings, connect};
use scenarios::Scenario;
use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The key in every request; no cassette may hold it.
const KEY: &str = "sk-never-recorded-0123456789";

/// Where the cassette of a scenario lies.
fn path_of(scenario: &Scenario) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cassettes").join(format!("{}.jsonl", scenario.name))
}

/// The model of a scenario, reached at `url`. It is asked once: a repetition would be an exchange more.
fn model_at(url: &str, scenario: &Scenario) -> Arc<dyn LanguageModel> {
    connect(LlmSettings {
        provider: Some(scenario.provider),
        base_url: Some(url.to_owned()),
        model: Some("smollm2".into()),
        api_key: Some(SecretString::from(KEY)),
        tool_calling: scenario.way,
        first_byte_timeout: Duration::from_secs(60),
        max_retries: 0,
        ..LlmSettings::default()
    })
    .unwrap()
}
