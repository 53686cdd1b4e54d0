//! The audit trail.

use agent_audit::{AuditPage, ChainState, Record};
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// Which records to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListRecords {
    /// Whose: the number of a tenant, or `server`; the caller's tenant when absent. Another one only for operators.
    pub chain: Option<String>,
    /// Only what this account did.
    #[param(value_type = Option<i64>, minimum = 1)]
    pub user_id: Option<String>,
    /// Only this operation, such as `create_plan`.
    pub action: Option<String>,
    /// Only what ended so: `success`, `denied` or `failed`.
    pub outcome: Option<String>,
    /// Only of this request.
    pub request_id: Option<String>,
    /// Only at this instant or later.
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<String>,
    /// Only before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<String>,
    /// `newest` (the default) or `oldest` first.
    pub order: Option<String>,
    /// At most so many; 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Which chain.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhichChain {
    /// Whose: the number of a tenant, or `server`; the caller's tenant when absent. Another one only for operators.
    pub chain: Option<String>,
}

/// Records, in the order that was asked for.
#[derive(Serialize, ToSchema)]
pub struct RecordsView {
    /// The records.
    pub records: Vec<RecordView>,
    /// How many match in all.
    pub total: u64,
    /// Pass as `cursor` to get the next page; null on the last.
    #[schema(example = json!(null))]
    pub next_cursor: Option<String>,
}

impl From<AuditPage> for RecordsView {
    fn from(page: AuditPage) -> Self {
        Self {
            records: page.records.into_iter().map(RecordView).collect(),
            total: page.total,
            next_cursor: page.next.map(|sequence| sequence.to_string()),
        }
    }
}

/// One record, as it is exported: its hash covers every field.
#[derive(Serialize)]
#[serde(transparent)]
pub struct RecordView(pub Record);

impl utoipa::PartialSchema for RecordView {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        RecordFields::schema()
    }
}

impl ToSchema for RecordView {
    fn name() -> std::borrow::Cow<'static, str> {
        "AuditRecord".into()
    }
}

/// The fields of a record, for the document.
#[derive(ToSchema)]
#[schema(example = json!({
    "chain": 1, "sequence": 42, "at": "2026-01-01T12:00:00.000Z", "actor": "user", "user_id": 7, "username": "ada",
    "source": "192.0.2.7", "action": "create_plan", "resource": "/plans/7", "outcome": "success", "status": 201,
    "request_id": "0190f2b2-6c1f-7c3e-8f43-3d7f0c2c9d51",
    "previous_hash": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
    "hash": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730"
}))]
#[expect(dead_code, reason = "describes the record, which has a form of its own")]
struct RecordFields {
    /// The tenant, or 0 for the server itself.
    chain: i64,
    /// Its place in the chain: 1, 2, 3 and so on.
    sequence: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `anonymous`, `user`, `api_key` or `system`.
    actor: String,
    /// The account.
    #[schema(nullable = false)]
    user_id: Option<i64>,
    /// The name of the account; of a failed login, the name that was tried.
    #[schema(nullable = false)]
    username: Option<String>,
    /// The API key that was used.
    #[schema(nullable = false)]
    key_id: Option<i64>,
    /// For whom, where it is not the actor's own doing.
    #[schema(nullable = false)]
    on_behalf_of: Option<String>,
    /// From which address.
    #[schema(nullable = false)]
    source: Option<String>,
    /// What: the id of an operation of this document, or what the server did by itself.
    action: String,
    /// On what.
    #[schema(nullable = false)]
    resource: Option<String>,
    /// `success`, `denied` or `failed`.
    outcome: String,
    /// The HTTP status; 0 where there is none.
    status: u16,
    /// The code of the problem.
    #[schema(nullable = false)]
    code: Option<String>,
    /// The request.
    #[schema(nullable = false)]
    request_id: Option<String>,
    /// What else is worth knowing, secrets removed.
    #[schema(nullable = false, value_type = Option<Object>)]
    details: Option<Map<String, Value>>,
    /// The hash of the record before it, in hexadecimal.
    previous_hash: String,
    /// SHA-256 over all of that, in hexadecimal.
    hash: String,
}

/// Where a chain begins and ends. Whoever notes the end elsewhere can prove later that nothing up to it was changed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "chain": 1, "first_sequence": 1,
    "first_previous_hash": "0000000000000000000000000000000000000000000000000000000000000000",
    "head_sequence": 42, "head_hash": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730"
}))]
pub struct ChainView {
    /// The tenant, or 0 for the server itself.
    pub chain: i64,
    /// The place of the oldest record that is kept.
    pub first_sequence: i64,
    /// The hash of the record before it.
    pub first_previous_hash: String,
    /// The place of the newest record; 0 when there has been none.
    pub head_sequence: i64,
    /// Its hash.
    pub head_hash: String,
}

impl ChainView {
    /// Of this chain.
    pub fn new(chain: agent_audit::ChainId, state: &ChainState) -> Self {
        Self {
            chain: chain.stored(),
            first_sequence: state.anchor.first_sequence,
            first_previous_hash: state.anchor.previous_hash.to_string(),
            head_sequence: state.head.sequence,
            head_hash: state.head.hash.to_string(),
        }
    }
}
