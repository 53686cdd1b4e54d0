//! Webhooks. Only what makes a secret shows it.

use agent_core::time::Timestamp;
use agent_runtime::WebhookPage;
use agent_webhooks::{DisabledReason, Webhook};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The webhook in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WebhookPath {
    /// The webhook.
    #[param(minimum = 1, example = 1)]
    pub webhook_id: i64,
}

/// Which webhooks to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListWebhooks {
    /// At most so many; 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A webhook to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://example.com/hook", "events": ["plan_updated", "task_failed"]}))]
pub struct CreateWebhook {
    /// Where it is told: a public https address.
    #[schema(max_length = 2_048)]
    pub url: String,
    /// Names of the events it is told of, such as `task_failed`; all when absent or empty.
    #[serde(default)]
    pub events: Vec<String>,
}

/// What is to change about a webhook.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"enabled": true, "skip_missed": true}))]
pub struct UpdateWebhook {
    /// Another address.
    #[serde(default)]
    #[schema(max_length = 2_048)]
    pub url: Option<String>,
    /// Other events; all when empty.
    #[serde(default)]
    pub events: Option<Vec<String>>,
    /// On or off.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// With `"enabled": true`: what was not told so far is never told.
    #[serde(default)]
    pub skip_missed: bool,
}

impl From<UpdateWebhook> for agent_runtime::UpdateWebhook {
    fn from(update: UpdateWebhook) -> Self {
        let UpdateWebhook { url, events, enabled, skip_missed } = update;
        Self { url, events, enabled, skip_missed }
    }
}

/// The caller's webhooks, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WebhooksView {
    /// The webhooks.
    pub webhooks: Vec<WebhookView>,
    /// How many there are in all.
    pub total: u64,
    /// Pass as `cursor` to get the next page; null on the last.
    #[schema(example = json!(null))]
    pub next_cursor: Option<String>,
}

impl From<WebhookPage> for WebhooksView {
    fn from(page: WebhookPage) -> Self {
        Self {
            webhooks: page.webhooks.iter().map(Into::into).collect(),
            total: page.total,
            next_cursor: page.next.map(|id| id.to_string()),
        }
    }
}

/// An address that is told of the events of its owner's plans.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 1, "url": "https://example.com/hook", "events": ["plan_updated", "task_failed"], "enabled": true,
    "disabled_reason": null, "cursor": 99, "failures": 0, "failing_since": null, "next_attempt_at": null,
    "last_error": null, "previous_secret_until": null, "created_at": "2026-01-01T12:00:00.000Z"
}))]
pub struct WebhookView {
    /// Identifier.
    pub id: i64,
    /// Where it is told.
    pub url: String,
    /// Names of the events it is told of; all when empty.
    pub events: Vec<String>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Why it is told nothing: `owner`, `gone` (the receiver answered 410) or `failing`; null while it is on.
    pub disabled_reason: Option<&'static str>,
    /// Position in the caller's events up to which everything is delivered.
    pub cursor: i64,
    /// Failed attempts at the delivery that comes next.
    pub failures: u32,
    /// When the first of these failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// Nothing is tried before this instant.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Until when deliveries are signed with the former secret too.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub previous_secret_until: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<&Webhook> for WebhookView {
    fn from(webhook: &Webhook) -> Self {
        Self {
            id: webhook.id.get(),
            url: webhook.url.clone(),
            events: webhook.events.clone(),
            enabled: webhook.disabled.is_none(),
            disabled_reason: webhook.disabled.map(DisabledReason::as_str),
            cursor: webhook.cursor,
            failures: webhook.failures,
            failing_since: webhook.failing_since,
            next_attempt_at: webhook.next_attempt_at,
            last_error: webhook.last_error.clone(),
            previous_secret_until: webhook.previous_secret.as_ref().map(|previous| previous.until),
            created_at: webhook.created_at,
        }
    }
}

/// A webhook with its secret.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "secret": "whsec_…", "id": 1, "url": "https://example.com/hook", "events": [], "enabled": true,
    "disabled_reason": null, "cursor": 99, "failures": 0, "failing_since": null, "next_attempt_at": null,
    "last_error": null, "previous_secret_until": null, "created_at": "2026-01-01T12:00:00.000Z"
}))]
pub struct WebhookSecretView {
    /// What deliveries are signed with. Shown this once.
    pub secret: String,
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookView,
}

impl From<&Webhook> for WebhookSecretView {
    fn from(webhook: &Webhook) -> Self {
        Self { secret: webhook.secret.expose_secret().to_owned(), webhook: webhook.into() }
    }
}
