//! What a real server refuses.

use crate::Live;
use agent_core::model::{Message, ModelError, Prompt, Silent};
use agent_core::ports::LanguageModel;

/// Far more than any local server is started with.
async fn refuses_a_flood(model: &dyn LanguageModel) {
    let flood = "This text goes on and on. ".repeat(20_000);
    let prompt =
        Prompt { messages: vec![Message::user(flood)], max_output_tokens: Some(2), ..Prompt::default() };
    let error = model.complete(&prompt, &mut Silent).await.unwrap_err();
    println!("{error}");
    assert!(matches!(error, ModelError::ContextOverflow(_)), "{error:?}");
}

#[tokio::test]
async fn a_conversation_that_does_not_fit_is_typed_in_both_wire_formats() {
    let Some(live) = Live::first().await else { return };
    if !live.is_local() {
        println!("nothing was tested: only a local server is asked for this much");
        return;
    }
    refuses_a_flood(&*live.model()).await;
    let Some(anthropic) = live.anthropic().await else { return };
    refuses_a_flood(&*anthropic).await;
}

#[tokio::test]
async fn a_conversation_that_does_not_fit_the_second_server_is_typed_too() {
    let Some(live) = Live::second().await else { return };
    refuses_a_flood(&*live.model()).await;
}
