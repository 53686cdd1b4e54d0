//! The one table of problems: code, status, title and what to do.

use actix_web::http::StatusCode;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:ident, $title:literal, $advice:literal;)+) => {
        /// Every kind of problem this server answers with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $variant),+ }

        impl ErrorCode {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable word for programs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The HTTP status it is sent with.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }

            /// The kind of problem in words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// What to do about it.
            pub fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice),+ }
            }
        }
    };
}

error_codes! {
    /// The body is no JSON.
    MalformedJson = "malformed_json", BAD_REQUEST, "Malformed JSON", "Send one JSON document in UTF-8.";
    /// The body is no YAML, or more of it than a template needs.
    MalformedYaml = "malformed_yaml", BAD_REQUEST, "Malformed YAML", "Send one YAML document in UTF-8; the detail names line and column.";
    /// The request itself is not understood.
    MalformedRequest = "malformed_request", BAD_REQUEST, "Malformed request", "See the operation at /docs for what it takes.";
    /// Two credentials at once.
    AmbiguousCredentials = "ambiguous_credentials", BAD_REQUEST, "Two credentials at once", "Send either the Authorization header or X-API-Key, not both.";
    /// No credential.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "Not logged in", "Log in with POST /auth/login and send the token as `Authorization: Bearer`.";
    /// A credential that is not accepted.
    InvalidToken = "invalid_token", UNAUTHORIZED, "Token not accepted", "Log in again, refresh the token, or create a new API key.";
    /// Wrong name or password.
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "Wrong user name or password", "Check both and try again.";
    /// The account is switched off.
    AccountDisabled = "account_disabled", UNAUTHORIZED, "Account disabled", "Ask an administrator to enable it.";
    /// The caller may not do this.
    Forbidden = "forbidden", FORBIDDEN, "Not allowed", "Use an account or key that has the scope named in the detail.";
    /// Another tenant's account.
    NotAtHome = "not_at_home", FORBIDDEN, "Another tenant's account", "Only administrators of the tenant that made the account change its password or disable it.";
    /// For those who look after the server.
    OperatorOnly = "operator_only", FORBIDDEN, "For operators of the server", "Ask an operator; an API key needs the scope tenants:manage.";
    /// Somebody else's template.
    NotTheAuthor = "not_the_author", FORBIDDEN, "Somebody else's template", "Ask its author or an administrator of the tenant, or make one of your own under another id.";
    /// A browser page of another site.
    ForeignOrigin = "foreign_origin", FORBIDDEN, "Foreign origin", "Open the WebSocket from a page of this server, or from a program that sends no Origin.";
    /// No such path.
    NotFound = "not_found", NOT_FOUND, "Nothing here", "See /docs for the paths that exist.";
    /// No such plan, or somebody else's.
    PlanNotFound = "plan_not_found", NOT_FOUND, "Plan not found", "List your plans to see their ids.";
    /// No such task.
    TaskNotFound = "task_not_found", NOT_FOUND, "Task not found", "List the plan's tasks to see their ids.";
    /// No such version of a plan or template.
    VersionNotFound = "version_not_found", NOT_FOUND, "Version not found", "List the versions to see which there are.";
    /// No such question.
    ApprovalNotFound = "approval_not_found", NOT_FOUND, "Approval not found", "List the approvals to see their ids.";
    /// No such template.
    TemplateNotFound = "template_not_found", NOT_FOUND, "Template not found", "List the templates to see their ids.";
    /// No such user.
    UserNotFound = "user_not_found", NOT_FOUND, "User not found", "List the users to see their ids.";
    /// No such tenant.
    TenantNotFound = "tenant_not_found", NOT_FOUND, "Tenant not found", "List the tenants to see their ids.";
    /// No such key.
    KeyNotFound = "key_not_found", NOT_FOUND, "API key not found", "List your keys to see their ids.";
    /// No such webhook, or somebody else's.
    WebhookNotFound = "webhook_not_found", NOT_FOUND, "Webhook not found", "List your webhooks to see their ids.";
    /// No figures yet.
    NoExecutions = "no_executions", NOT_FOUND, "Nothing to analyse", "Figures appear when the task has finished once.";
    /// A password that was good once.
    OneTimePasswordSpent = "one_time_password_spent", GONE, "One-time password spent", "Start the server again: it makes a new one, or takes AGENT_ADMIN_PASSWORD.";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed", "Use one of the methods in the Allow header.";
    /// The body did not arrive.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "Request too slow", "Send the whole body without long pauses.";
    /// The plan has no folder of its own.
    NotIsolated = "not_isolated", CONFLICT, "No workspace of its own", "Only plans with policy.workspace \"isolated\" that were started can be merged or discarded.";
    /// A merge would lose somebody's lines.
    MergeConflict = "merge_conflict", CONFLICT, "Merge conflict", "Each error names a file that was changed since in the same place; bring it in line by hand, or merge the plan's branch with git.";
    /// Somebody else changed it first.
    Conflict = "conflict", CONFLICT, "Changed meanwhile", "Load it again and repeat the request.";
    /// The plan or template was edited since the caller looked.
    VersionMismatch = "version_mismatch", PRECONDITION_FAILED, "Edited meanwhile", "Look at the present version and send the edit again with it in If-Match.";
    /// An edit that does not say of which version.
    VersionRequired = "version_required", PRECONDITION_REQUIRED, "If-Match missing", "Send the `version` that you have seen as If-Match, such as If-Match: \"3\"; `*` edits whatever is there.";
    /// The id of a template is taken.
    TemplateIdTaken = "template_id_taken", CONFLICT, "Template id taken", "Change that template with PUT /templates/{id}, or choose another id.";
    /// A template that comes with the program.
    TemplateBuiltIn = "template_built_in", CONFLICT, "Built-in template", "Export it, and make one of your own under another id.";
    /// The status does not allow it.
    IllegalMove = "illegal_move", CONFLICT, "Not in this state", "See `current_state`; another action may be possible.";
    /// Somebody was faster, or nobody answered in time.
    ApprovalClosed = "approval_closed", CONFLICT, "Approval closed", "See `decision` and `decided_by`; the plan may ask again.";
    /// The answer is about other bytes.
    ApprovalMismatch = "approval_mismatch", CONFLICT, "Another call than the one looked at", "Look at the approval again and send its present args_hash.";
    /// The key came with another request.
    IdempotencyMismatch = "idempotency_mismatch", CONFLICT, "Idempotency key used before", "Use a new Idempotency-Key for a new request.";
    /// The name is taken.
    UsernameTaken = "username_taken", CONFLICT, "User name taken", "Choose another name.";
    /// The name of a tenant is taken.
    TenantNameTaken = "tenant_name_taken", CONFLICT, "Tenant name taken", "Choose another name.";
    /// Nobody could look after the server any more.
    LastOperator = "last_operator", CONFLICT, "Last operator", "Make somebody else an operator first.";
    /// One's own account.
    OwnAccount = "own_account", CONFLICT, "Your own account", "Ask another administrator.";
    /// Nobody could administer users any more.
    LastAdmin = "last_admin", CONFLICT, "Last administrator", "Make somebody else an administrator first.";
    /// The body is over the limit.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "Body too large", "Send at most 1 MiB.";
    /// The body is of another type.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "Wrong content type", "Send `Content-Type: application/json`; templates come as `application/yaml` too.";
    /// The body is packed.
    UnsupportedEncoding = "unsupported_encoding", UNSUPPORTED_MEDIA_TYPE, "Body encoded", "Send the body as it is, without `Content-Encoding`.";
    /// Fields are wrong.
    InvalidRequest = "invalid_request", UNPROCESSABLE_ENTITY, "Invalid request", "Mend the fields in `errors`.";
    /// The plan breaks rules.
    InvalidPlan = "invalid_plan", UNPROCESSABLE_ENTITY, "Invalid plan", "Mend the fields in `errors`.";
    /// The template's parameters do not fit.
    InvalidParameters = "invalid_parameters", UNPROCESSABLE_ENTITY, "Invalid template parameters", "Mend the parameters in `errors`; GET /templates/{id} describes them.";
    /// The template breaks rules.
    InvalidTemplate = "invalid_template", UNPROCESSABLE_ENTITY, "Invalid template", "Mend the fields in `errors`.";
    /// The goal needs a language model.
    NoLanguageModel = "no_language_model", UNPROCESSABLE_ENTITY, "No language model", "Give `tasks` in the request, or configure a provider with AGENT_LLM_PROVIDER.";
    /// The repository may not be worked on.
    RepositoryRefused = "repository_refused", UNPROCESSABLE_ENTITY, "Repository refused", "Name a folder below one of the configured repository roots.";
    /// The password breaks the rules.
    WeakPassword = "weak_password", UNPROCESSABLE_ENTITY, "Password refused", "Choose a longer one that is not easily guessed.";
    /// This version cannot do it.
    Unsupported = "unsupported", UNPROCESSABLE_ENTITY, "Not supported", "Leave out what the detail names.";
    /// No plan could be made of the goal.
    PlanningFailed = "planning_failed", UNPROCESSABLE_ENTITY, "No plan could be made", "Say the goal in other words, or give `tasks` in the request.";
    /// A plain request to the WebSocket.
    UpgradeRequired = "upgrade_required", UPGRADE_REQUIRED, "WebSocket only", "Connect with a WebSocket client (RFC 6455, version 13).";
    /// Too many failed logins.
    TooManyAttempts = "too_many_attempts", TOO_MANY_REQUESTS, "Too many attempts", "Wait as long as the Retry-After header says.";
    /// More requests than the limits allow.
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests", "Wait as long as the Retry-After header says.";
    /// More live plans than the limits allow.
    TooManyActivePlans = "too_many_active_plans", TOO_MANY_REQUESTS, "Too many live plans", "Wait until one has ended, or cancel one.";
    /// A fault of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error", "The server failed; its log knows more under this request_id.";
    /// The change was made and not recorded.
    NotRecorded = "not_recorded", INTERNAL_SERVER_ERROR, "Done, but not recorded", "The change was made, and the audit trail could not record it; look at what is there before you send it again.";
    /// The database does not answer.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Temporarily unavailable", "The database cannot be reached at the moment; send the request again.";
    /// The disk is full.
    StorageFull = "storage_full", SERVICE_UNAVAILABLE, "Storage full", "The disk of the server is full and nothing was kept; send the request again when there is room.";
    /// More work than can be borne.
    Busy = "busy", SERVICE_UNAVAILABLE, "Busy", "Too much at this moment; send the request again in a second.";
    /// The server is going away.
    Stopping = "stopping", SERVICE_UNAVAILABLE, "Stopping", "The server is stopping; send the request again in a moment.";
}

impl ErrorCode {
    /// The table as the document for readers, `docs/errors.md`.
    pub fn table_as_markdown() -> String {
        let mut text = String::from(concat!(
            "# Errors\n\n",
            "Every error is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, `code`, ",
            "`advice`, `request_id` and, where fields are wrong, `errors[]` of `{pointer, detail}`. Programs decide by ",
            "`code`; people read `detail`. This page is written from the table in `bins/agent-server/src/error/table.rs` ",
            "by a test (`UPDATE_DOCS=1 cargo test -p agent-server`).\n\n",
            "| code | status | title | what to do |\n| --- | --- | --- | --- |\n",
        ));
        for code in Self::ALL {
            let status = code.status().as_u16();
            text.push_str(&format!(
                "| `{}` | {status} | {} | {} |\n",
                code.as_str(),
                code.title(),
                code.advice()
            ));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn codes_are_unique_snake_case_words() {
        let words: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), ErrorCode::ALL.len());
        assert!(words.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
    }

    #[test]
    fn the_page_about_errors_is_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
        let table = ErrorCode::table_as_markdown();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &table).unwrap();
        }
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(page, table, "docs/errors.md is stale: run UPDATE_DOCS=1 cargo test -p agent-server");
    }
}
