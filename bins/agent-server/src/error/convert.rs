//! What the crates report, as problems.

use super::{ApiError, ErrorCode};
use agent_core::error::Defect;
use std::time::Duration;

/// When a client may try again after the server was stopping or its database was away.
const RETRY_AFTER_SECONDS: u64 = 2;

fn retry_after(duration: Duration) -> String {
    duration.as_secs().max(1).to_string()
}

fn unavailable(code: ErrorCode) -> ApiError {
    ApiError::new(code, "").with_header("Retry-After", RETRY_AFTER_SECONDS.to_string())
}

impl From<agent_runtime::Error> for ApiError {
    fn from(error: agent_runtime::Error) -> Self {
        match error {
            agent_runtime::Error::Core(error) => error.into(),
            agent_runtime::Error::Auth(error) => error.into(),
            agent_runtime::Error::Template(error) => error.into(),
            agent_runtime::Error::Events(error) => error.into(),
            agent_runtime::Error::Scan(_) => Self::new(ErrorCode::RepositoryRefused, error.to_string()),
            agent_runtime::Error::NotIsolated(_) => Self::new(ErrorCode::NotIsolated, error.to_string()),
            agent_runtime::Error::Repository(error) => error.into(),
            agent_runtime::Error::InvalidWebhook(defects) => Self::invalid(defects),
            agent_runtime::Error::Webhook(error) => error.into(),
            agent_runtime::Error::TooManyActivePlans { .. } => {
                Self::new(ErrorCode::TooManyActivePlans, error.to_string()).with_header("Retry-After", "30")
            }
            other => Self::internal(other),
        }
    }
}

impl From<agent_repository::Error> for ApiError {
    fn from(error: agent_repository::Error) -> Self {
        use agent_repository::Error as Repository;
        let text = error.to_string();
        match error {
            Repository::Rejected(rejected) => {
                let defects =
                    rejected.files.iter().map(|file| Defect::new(format!("/{}", file.path), &file.detail));
                Self::fields(ErrorCode::MergeConflict, defects.collect())
            }
            Repository::Busy | Repository::Conflict { .. } => Self::new(ErrorCode::Conflict, text),
            Repository::Request { .. } | Repository::RootUnavailable { .. } => {
                Self::new(ErrorCode::RepositoryRefused, text)
            }
            other => Self::internal(other),
        }
    }
}

impl From<agent_core::Error> for ApiError {
    fn from(error: agent_core::Error) -> Self {
        use agent_core::Error as Core;
        let text = error.to_string();
        match error {
            Core::PlanNotFound(_) => Self::new(ErrorCode::PlanNotFound, text),
            Core::TaskNotFound { .. } => Self::new(ErrorCode::TaskNotFound, text),
            Core::ApprovalNotFound(_) => Self::new(ErrorCode::ApprovalNotFound, text),
            Core::InvalidPlan(defects) => Self::fields(ErrorCode::InvalidPlan, defects),
            Core::IllegalPlanMove { status, .. } => {
                Self { current_state: Some(status.as_str()), ..Self::new(ErrorCode::IllegalMove, text) }
            }
            Core::IllegalTaskMove { status, .. } => {
                Self { current_state: Some(status.as_str()), ..Self::new(ErrorCode::IllegalMove, text) }
            }
            Core::ApprovalClosed { decision, ref by, .. } => {
                let decided = Some(Box::new((decision, by.clone())));
                Self { decided, ..Self::new(ErrorCode::ApprovalClosed, text) }
            }
            Core::ApprovalMismatch(_) => Self::new(ErrorCode::ApprovalMismatch, text),
            Core::VersionMismatch { .. } => Self::new(ErrorCode::VersionMismatch, text),
            Core::Conflict { .. } => Self::new(ErrorCode::Conflict, text),
            Core::IdempotencyMismatch(_) => Self::new(ErrorCode::IdempotencyMismatch, text),
            Core::RepositoryRefused { .. } => {
                let errors = vec![Defect::new("/repo_path", text.clone())];
                Self { errors, ..Self::new(ErrorCode::RepositoryRefused, text) }
            }
            Core::Planning(_) => Self::new(ErrorCode::PlanningFailed, text),
            Core::NoLanguageModel => Self::new(ErrorCode::NoLanguageModel, text),
            Core::Unsupported(_) => Self::new(ErrorCode::Unsupported, text),
            Core::Stopping => unavailable(ErrorCode::Stopping),
            Core::StorageFull(_) => unavailable(ErrorCode::StorageFull).with_source(error),
            Core::Unavailable(_) => unavailable(ErrorCode::Unavailable).with_source(error),
            other => Self::internal(other),
        }
    }
}

impl From<agent_auth::Error> for ApiError {
    fn from(error: agent_auth::Error) -> Self {
        use agent_auth::Error as Auth;
        let text = error.to_string();
        match error {
            Auth::InvalidCredentials => Self::new(ErrorCode::InvalidCredentials, text),
            Auth::InvalidToken(reason) => Self::new(ErrorCode::InvalidToken, text).with_source(reason),
            Auth::Expired | Auth::RefreshTokenReused { .. } => Self::new(ErrorCode::InvalidToken, text),
            Auth::Disabled => Self::new(ErrorCode::AccountDisabled, text),
            Auth::TooManyAttempts { retry_after: pause } => {
                Self::new(ErrorCode::TooManyAttempts, text).with_header("Retry-After", retry_after(pause))
            }
            Auth::WeakPassword(_) => Self::new(ErrorCode::WeakPassword, text),
            Auth::UsernameTaken => Self::new(ErrorCode::UsernameTaken, text),
            Auth::InvalidUsername(_) => Self::invalid_field("/username", text),
            Auth::UserNotFound(_) => Self::new(ErrorCode::UserNotFound, text),
            Auth::LastAdmin => Self::new(ErrorCode::LastAdmin, text),
            Auth::UnknownScope(_) => Self::invalid_field("/scopes", text),
            Auth::ScopeAboveRole(_) => Self::invalid_field("/scopes", text),
            Auth::OneTimePasswordSpent => Self::new(ErrorCode::OneTimePasswordSpent, text),
            Auth::NotAtHome => Self::new(ErrorCode::NotAtHome, text),
            Auth::OperatorOnly => Self::new(ErrorCode::OperatorOnly, text),
            Auth::LastOperator => Self::new(ErrorCode::LastOperator, text),
            Auth::OwnAccount => Self::new(ErrorCode::OwnAccount, text),
            Auth::TenantNameTaken => Self::new(ErrorCode::TenantNameTaken, text),
            Auth::InvalidTenantName(_) => Self::invalid_field("/name", text),
            Auth::TenantNotFound(_) => Self::new(ErrorCode::TenantNotFound, text),
            Auth::InvalidKeyRequest(_) => Self::new(ErrorCode::InvalidRequest, text),
            Auth::KeyNotFound(_) => Self::new(ErrorCode::KeyNotFound, text),
            Auth::Busy => unavailable(ErrorCode::Busy),
            Auth::Store(error) => error.into(),
            Auth::WeakSecret(_) | Auth::RepeatedSecret | Auth::Cryptography(_) => Self::internal(error),
        }
    }
}

impl From<agent_templates::Error> for ApiError {
    fn from(error: agent_templates::Error) -> Self {
        use agent_templates::Error as Template;
        let text = error.to_string();
        match error {
            Template::NotFound(_) => Self::new(ErrorCode::TemplateNotFound, text),
            Template::Parameters(defects) => Self::fields(ErrorCode::InvalidParameters, defects),
            Template::Invalid { defects, .. } => Self::fields(ErrorCode::InvalidTemplate, defects),
            Template::UnreadableYaml(_) => Self::new(ErrorCode::MalformedYaml, text),
            Template::Taken(_) => Self::new(ErrorCode::TemplateIdTaken, text),
            Template::BuiltIn(_) => Self::new(ErrorCode::TemplateBuiltIn, text),
            Template::NotTheAuthor(_) => Self::new(ErrorCode::NotTheAuthor, text),
            Template::TooMany { .. } | Template::TooMuch { .. } => Self::new(ErrorCode::InvalidRequest, text),
            Template::VersionMismatch { .. } => Self::new(ErrorCode::VersionMismatch, text),
            Template::VersionNotFound { .. } => Self::new(ErrorCode::VersionNotFound, text),
            other => Self::internal(other),
        }
    }
}

impl From<agent_events::Error> for ApiError {
    fn from(error: agent_events::Error) -> Self {
        let text = error.to_string();
        match error {
            agent_events::Error::CursorBeyondHead { .. } => Self::invalid_field("?after", text),
            agent_events::Error::UnknownTopic(_) => Self::invalid_field("/topic", text),
            agent_events::Error::Log(source) => source.into(),
            other => Self::internal(other),
        }
    }
}

impl From<agent_webhooks::Error> for ApiError {
    fn from(error: agent_webhooks::Error) -> Self {
        use agent_webhooks::Error as Webhook;
        let text = error.to_string();
        match error {
            Webhook::NotFound(_) => Self::new(ErrorCode::WebhookNotFound, text),
            Webhook::TooMany { .. } => Self::new(ErrorCode::InvalidRequest, text),
            Webhook::Refused(_) => Self::invalid_field("/url", text),
            Webhook::UnknownEvent(_) => Self::invalid_field("/events", text),
            other => Self::internal(other),
        }
    }
}

impl From<agent_analytics::Error> for ApiError {
    fn from(error: agent_analytics::Error) -> Self {
        unavailable(ErrorCode::Unavailable).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::ids::{ApprovalId, PlanId, Revision, TaskId, UserId};
    use agent_core::plan::{PlanStatus, TaskStatus};

    fn core_errors() -> Vec<(agent_core::Error, ErrorCode)> {
        use agent_core::Error as Core;
        let plan = PlanId(1);
        let defects = vec![Defect::new("/goal", "empty")];
        let (status, action) = (PlanStatus::Completed, "be paused");
        vec![
            (Core::PlanNotFound(plan), ErrorCode::PlanNotFound),
            (Core::TaskNotFound { plan, task: TaskId(2) }, ErrorCode::TaskNotFound),
            (Core::ApprovalNotFound(ApprovalId(3)), ErrorCode::ApprovalNotFound),
            (Core::InvalidPlan(defects), ErrorCode::InvalidPlan),
            (Core::IllegalPlanMove { plan, status, action }, ErrorCode::IllegalMove),
            (
                Core::IllegalTaskMove { task: TaskId(2), status: TaskStatus::Running, action },
                ErrorCode::IllegalMove,
            ),
            (Core::VersionMismatch { plan, seen: 1, present: 2 }, ErrorCode::VersionMismatch),
            (Core::Conflict { plan, seen: Revision(4) }, ErrorCode::Conflict),
            (Core::LeaseLost(plan), ErrorCode::Internal),
            (Core::IdempotencyMismatch("k".into()), ErrorCode::IdempotencyMismatch),
            (Core::RepositoryRefused { path: "x".into(), reason: "y".into() }, ErrorCode::RepositoryRefused),
            (Core::Planning("x".into()), ErrorCode::PlanningFailed),
            (Core::NoLanguageModel, ErrorCode::NoLanguageModel),
            (Core::Unsupported("x".into()), ErrorCode::Unsupported),
            (Core::Stopping, ErrorCode::Stopping),
            (Core::Unavailable("disk".into()), ErrorCode::Unavailable),
            (Core::StorageFull("disk".into()), ErrorCode::StorageFull),
            (Core::Damaged("row".into()), ErrorCode::Internal),
        ]
    }

    #[test]
    fn every_situation_of_the_domain_has_its_code() {
        for (error, code) in core_errors() {
            let text = error.to_string();
            assert_eq!(ApiError::from(error).code, code, "{text}");
        }
    }

    #[test]
    fn a_refused_move_names_the_present_state() {
        let error = agent_core::Error::IllegalPlanMove {
            plan: PlanId(1),
            status: PlanStatus::Paused,
            action: "be paused",
        };
        assert_eq!(ApiError::from(error).current_state, Some("paused"));
    }

    #[actix_web::test]
    async fn what_failed_inside_is_not_told_outside() {
        let error = ApiError::from(agent_core::Error::Damaged("secret row 7".into()));
        let body = actix_web::body::to_bytes(error.respond("r1").into_body()).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(!text.contains("secret") && text.contains("\"request_id\":\"r1\""), "{text}");
    }

    #[test]
    fn waiting_times_are_told_in_whole_seconds() {
        let error = agent_auth::Error::TooManyAttempts { retry_after: Duration::from_millis(300) };
        assert_eq!(ApiError::from(error).headers, [("Retry-After", "1".to_owned())]);
        let gone = agent_auth::Error::UserNotFound(UserId(1));
        assert_eq!(ApiError::from(gone).code, ErrorCode::UserNotFound);
    }
}
