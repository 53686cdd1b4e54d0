//! What callers ask for, one method a request: checks who may, calls the ports, shapes nothing for any wire.

mod approvals;
mod audit;
mod conversation;
mod plans;
mod repositories;
mod stats;
mod templates;
mod webhooks;

pub use approvals::{ApprovalPage, Approvals, Decided, PersonsAnswer, WantedApprovals};
pub use audit::Audit;
pub use conversation::{Conversation, ConversationPage, WantedMessages};
pub use plans::{CreatePlan, Edited, EventPage, EventQuery, PlanDetails, Plans, Statistics};
pub use repositories::Repositories;
pub use stats::Stats;
pub use templates::{TemplateEntry, Templates};
pub use webhooks::{CreateWebhook, UpdateWebhook, WebhookPage, Webhooks};
