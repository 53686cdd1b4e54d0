//! Dropping an answer half way frees the server for others.

use crate::{Live, variable};
use agent_core::model::{Message, OutputSchema, Prompt, TokenSink};
use agent_core::ports::LanguageModel;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// What llama.cpp tells about its slots; `None` for a server that tells nothing.
async fn busy_slots(live: &Live) -> Option<usize> {
    let mut url = reqwest::Url::parse(live.settings.base_url.as_deref()?).ok()?;
    url.set_path("/slots");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(url);
    if let Some(key) = variable("AGENT_TEST_LLM_KEY") {
        request = request.bearer_auth(key);
    }
    let slots: Value = request.send().await.ok()?.json().await.ok()?;
    Some(slots.as_array()?.iter().filter(|slot| slot["is_processing"] == true).count())
}

/// The server can only be asked again and again.
async fn all_are_free(live: &Live) {
    let free = async { while busy_slots(live).await != Some(0) {} };
    timeout(Duration::from_secs(5), free).await.expect("a slot stays busy");
}

/// Resolves when the first piece is shown.
struct FirstPiece(Option<tokio::sync::oneshot::Sender<()>>);

impl TokenSink for FirstPiece {
    fn token(&mut self, _text: &str) {
        if let Some(sender) = self.0.take() {
            sender.send(()).ok();
        }
    }
}

/// An answer of 300 numbers takes many seconds.
fn long() -> Prompt {
    let schema = json!({"type": "array", "items": {"type": "integer"}, "minItems": 300, "maxItems": 300});
    Prompt {
        messages: vec![Message::user("List the numbers from 1 to 300 as JSON.")],
        output: Some(OutputSchema { name: "numbers".into(), schema }),
        ..Prompt::default()
    }
}

async fn frees_its_slot(live: &Live, model: Arc<dyn LanguageModel>) {
    if busy_slots(live).await.is_none() {
        println!("nothing was tested: this server tells nothing about its slots");
        return;
    }
    all_are_free(live).await;
    let (sender, shown) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move { model.complete(&long(), &mut FirstPiece(Some(sender))).await });
    timeout(Duration::from_secs(60), shown).await.unwrap().unwrap();
    assert_eq!(busy_slots(live).await, Some(1));
    task.abort();
    let stopped = Instant::now();
    all_are_free(live).await;
    println!("the slot was free after {:?}", stopped.elapsed());
}

#[tokio::test]
async fn an_answer_that_is_dropped_half_way_frees_its_slot() {
    let Some(live) = Live::first().await else { return };
    frees_its_slot(&live, live.model()).await;
}

#[tokio::test]
async fn an_answer_that_is_dropped_at_the_second_server_frees_its_slot() {
    let Some(live) = Live::second().await else { return };
    frees_its_slot(&live, live.model()).await;
}
