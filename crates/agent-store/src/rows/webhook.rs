//! Webhooks as rows. None of them can be shown: they hold secrets.

use super::{damaged, document, instant, micros, parse, plain, plain_option, small};
use crate::schema::webhooks;
use agent_core::Result;
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::time::Timestamp;
use agent_webhooks::{Claim, Claimed, DisabledReason, PreviousSecret, Webhook, WebhookId};
use diesel::prelude::*;
use secrecy::{ExposeSecret, SecretString};

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks)]
pub(crate) struct WebhookRow {
    pub(crate) id: i64,
    pub(crate) tenant_id: i64,
    owner_id: i64,
    cursor: i64,
    generation: i64,
    disabled_reason: Option<String>,
    failures: i64,
    failing_since: Option<i64>,
    next_attempt_at: Option<i64>,
    created_at: i64,
    secret: String,
    previous_secret: Option<String>,
    previous_secret_until: Option<i64>,
    events: String,
    url: String,
    last_error: Option<String>,
}

impl WebhookRow {
    /// The webhook.
    pub(crate) fn into_webhook(self) -> Result<Webhook> {
        let disabled = self.disabled_reason.map(|word| {
            DisabledReason::parse(&word).ok_or_else(|| damaged("webhooks.disabled_reason", &word))
        });
        let previous = self.previous_secret.zip(self.previous_secret_until);
        Ok(Webhook {
            id: WebhookId(self.id),
            owner: Owner { tenant: TenantId(self.tenant_id), user: UserId(self.owner_id) },
            url: self.url,
            events: parse("webhooks.events", &self.events)?,
            secret: SecretString::from(self.secret),
            previous_secret: previous.map(|(secret, until)| PreviousSecret {
                secret: SecretString::from(secret),
                until: Timestamp::from_micros(until),
            }),
            cursor: self.cursor,
            disabled: disabled.transpose()?,
            failures: small("webhooks.failures", self.failures)?,
            failing_since: instant(self.failing_since),
            next_attempt_at: instant(self.next_attempt_at),
            last_error: self.last_error,
            created_at: Timestamp::from_micros(self.created_at),
        })
    }

    /// The webhook as it is once it is claimed again.
    pub(crate) fn into_claimed(self) -> Result<Claimed> {
        let claim = Claim {
            tenant: TenantId(self.tenant_id),
            webhook: WebhookId(self.id),
            generation: self.generation + 1,
        };
        Ok(Claimed { claim, webhook: self.into_webhook()? })
    }
}

/// What may change about a webhook.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(crate) struct StateRow {
    cursor: i64,
    disabled_reason: Option<&'static str>,
    failures: i64,
    failing_since: Option<i64>,
    next_attempt_at: Option<i64>,
    secret: String,
    previous_secret: Option<String>,
    previous_secret_until: Option<i64>,
    events: String,
    url: String,
    last_error: Option<String>,
}

impl StateRow {
    /// As this webhook is.
    pub(crate) fn of(webhook: &Webhook) -> Result<Self> {
        let previous = webhook.previous_secret.as_ref();
        Ok(Self {
            cursor: webhook.cursor,
            disabled_reason: webhook.disabled.map(DisabledReason::as_str),
            failures: webhook.failures.into(),
            failing_since: micros(webhook.failing_since),
            next_attempt_at: micros(webhook.next_attempt_at),
            secret: webhook.secret.expose_secret().to_owned(),
            previous_secret: previous.map(|previous| previous.secret.expose_secret().to_owned()),
            previous_secret_until: previous.map(|previous| previous.until.as_micros()),
            events: document("webhooks.events", &webhook.events)?,
            url: plain(&webhook.url),
            last_error: plain_option(webhook.last_error.as_deref()),
        })
    }
}

/// A webhook to be kept, claimed by nobody.
#[derive(Insertable)]
#[diesel(table_name = webhooks)]
pub(crate) struct NewWebhookRow {
    tenant_id: i64,
    owner_id: i64,
    generation: i64,
    claimed_at: i64,
    created_at: i64,
    #[diesel(embed)]
    state: StateRow,
}

impl NewWebhookRow {
    /// As this webhook is; its number is not looked at.
    pub(crate) fn of(webhook: &Webhook) -> Result<Self> {
        Ok(Self {
            tenant_id: webhook.owner.tenant.get(),
            owner_id: webhook.owner.user.get(),
            generation: 0,
            claimed_at: webhook.created_at.as_micros(),
            created_at: webhook.created_at.as_micros(),
            state: StateRow::of(webhook)?,
        })
    }
}
