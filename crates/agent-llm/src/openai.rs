//! The chat completions protocol, spoken by OpenAI and by most servers that run models elsewhere
//! (Ollama among them). Written out here because it is the most used one and its dialects differ
//! in ways that must not surprise a task: see `answer.rs`.

mod answer;
mod events;
mod request;

use crate::endpoint::Endpoint;
use crate::failure;
use crate::limits::{ANSWER_LIMIT, too_long};
use crate::patience::Patience;
use crate::settings::Provider;
use agent_core::model::{Completion, ModelDescription, ModelError, Prompt, TokenSink};
use agent_core::ports::LanguageModel;
use answer::Answer;
use async_trait::async_trait;
use events::Events;
use request::Structure;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use std::sync::atomic::{AtomicBool, Ordering};

/// A model behind a chat completions endpoint.
pub(crate) struct OpenAiCompatible {
    provider: Provider,
    endpoint: Endpoint,
    model: String,
    patience: Patience,
    /// The server was found to know no answer schemas: it is not offered one again.
    words_only: AtomicBool,
}

impl OpenAiCompatible {
    pub(crate) fn new(provider: Provider, endpoint: Endpoint, model: String, patience: Patience) -> Self {
        Self { provider, endpoint, model, patience, words_only: AtomicBool::new(false) }
    }

    async fn ask(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError> {
        if self.words_only.load(Ordering::Relaxed) {
            return self.ask_once(prompt, Structure::InWords, sink).await;
        }
        match self.ask_once(prompt, Structure::Native, sink).await {
            Err(ModelError::Refused(text)) if prompt.output.is_some() && names_response_format(&text) => {
                let answer = self.ask_once(prompt, Structure::InWords, sink).await;
                // One faulty schema says nothing about others.
                let about_this_one = text.to_ascii_lowercase().contains("invalid schema");
                if !about_this_one && !matches!(answer, Err(ModelError::Refused(_))) {
                    tracing::info!(
                        model = self.model,
                        why = text,
                        "the server knows no answer schemas: asking in words from now on"
                    );
                    self.words_only.store(true, Ordering::Relaxed);
                }
                answer
            }
            other => other,
        }
    }

    async fn ask_once(
        &self,
        prompt: &Prompt,
        structure: Structure,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError> {
        let body = request::body(prompt, &self.model, structure, self.endpoint.host());
        let url = format!("{}chat/completions", self.endpoint.base());
        let mut request = self.endpoint.client()?.post(url).json(&body);
        if let Some(key) = self.endpoint.key() {
            request = request.bearer_auth(key);
        }
        let response = self.patience.piece(request.send()).await?.map_err(|error| self.transport(error))?;
        let status = response.status();
        if !status.is_success() {
            let headers = response.headers().clone();
            let text = self.text(response).await.unwrap_or_default();
            return Err(failure::from_status(status.as_u16(), &headers, &text));
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut answer = Answer::default();
        if kind.is_some_and(|kind| kind.starts_with("application/json")) {
            // Such a server did not understand that it was asked to stream.
            answer.take(&self.text(response).await?, sink)?;
        } else {
            self.follow(response, &mut answer, sink).await?;
        }
        answer.finish(prompt, &self.model)
    }

    /// Reads the stream to its end.
    async fn follow(
        &self,
        mut response: Response,
        answer: &mut Answer,
        sink: &mut dyn TokenSink,
    ) -> Result<(), ModelError> {
        let mut events = Events::default();
        while !answer.is_done() {
            let piece =
                self.patience.piece(response.chunk()).await?.map_err(|error| self.transport(error))?;
            let ended = piece.is_none();
            match piece {
                Some(bytes) => events.feed(&bytes)?,
                None => events.end(),
            }
            while let Some(data) = events.next() {
                answer.take(&data, sink)?;
            }
            if ended {
                break;
            }
        }
        Ok(())
    }

    /// The whole body as text, bounded.
    async fn text(&self, mut response: Response) -> Result<String, ModelError> {
        let mut body = Vec::new();
        while let Some(piece) =
            self.patience.piece(response.chunk()).await?.map_err(|error| self.transport(error))?
        {
            body.extend_from_slice(&piece);
            if body.len() > ANSWER_LIMIT {
                return Err(too_long());
            }
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    fn transport(&self, error: reqwest::Error) -> ModelError {
        failure::from_transport(error, self.endpoint.host())
    }
}

/// Whether a refusal is about the way in which the schema was sent.
fn names_response_format(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("response_format") || text.contains("json_schema")
}

#[async_trait]
impl LanguageModel for OpenAiCompatible {
    fn describe(&self) -> ModelDescription {
        ModelDescription { provider: self.provider.as_str().into(), model: self.model.clone() }
    }

    async fn complete(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError> {
        self.patience
            .whole(Box::pin(self.ask(prompt, sink)))
            .await
            .map_err(|error| self.endpoint.without_key(error))
    }
}
