//! The audit trail, for administrators of a tenant and operators of the server.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, Page, ValidQuery, scope};
use crate::state::AppState;
use crate::views::audit::{ChainView, ListRecords, RecordsView, WhichChain};
use actix_web::web::{Bytes, Data, Json};
use actix_web::{HttpResponse, get};
use agent_audit::{AuditFilter, ChainId, MAX_PAGE};
use agent_core::error::Defect;
use agent_core::time::Timestamp;
use agent_runtime::Audit;
use futures_util::stream::unfold;
use std::str::FromStr;

/// Lists who did what: every change and every denial.
#[utoipa::path(
    tag = "audit",
    params(ListRecords),
    responses((status = 200, description = "A page of records", body = RecordsView), ApiError),
    security(("bearer" = ["audit:read"]), ("api_key" = ["audit:read"]))
)]
#[get("/audit")]
pub(crate) async fn list_audit_records(
    caller: Caller<scope::AuditRead>,
    query: ValidQuery<ListRecords>,
    state: Data<AppState>,
) -> Result<Json<RecordsView>> {
    let audit = state.agent().audit();
    let filter = filter(audit.chain_of(&caller, query.chain.as_deref())?, &query)?;
    Ok(Json(audit.page(&filter).await?.into()))
}

/// Shows where a chain of records begins and ends.
#[utoipa::path(
    tag = "audit",
    params(WhichChain),
    responses((status = 200, description = "Its beginning and its end", body = ChainView), ApiError),
    security(("bearer" = ["audit:read"]), ("api_key" = ["audit:read"]))
)]
#[get("/audit/chain")]
pub(crate) async fn show_audit_chain(
    caller: Caller<scope::AuditRead>,
    query: ValidQuery<WhichChain>,
    state: Data<AppState>,
) -> Result<Json<ChainView>> {
    let audit = state.agent().audit();
    let chain = audit.chain_of(&caller, query.chain.as_deref())?;
    Ok(Json(ChainView::new(chain, &audit.state(chain).await?)))
}

/// Exports a whole chain as JSON Lines, oldest first; `agent audit verify` reads it.
#[utoipa::path(
    tag = "audit",
    params(WhichChain),
    responses((status = 200, description = "One record a line", body = String, content_type = "application/x-ndjson"), ApiError),
    security(("bearer" = ["audit:read"]), ("api_key" = ["audit:read"]))
)]
#[get("/audit/export")]
pub(crate) async fn export_audit_records(
    caller: Caller<scope::AuditRead>,
    query: ValidQuery<WhichChain>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let audit = state.agent().audit().clone();
    let chain = audit.chain_of(&caller, query.chain.as_deref())?;
    let end = audit.state(chain).await?.head.sequence;
    let pages = unfold(Some(Export { audit, chain, after: 0, end }), |export| async move {
        let mut export = export?;
        match export.next_page().await {
            Ok(Some(lines)) => Some((Ok(lines), Some(export))),
            Ok(None) => None,
            Err(error) => {
                // The answer has begun, so that it can only be broken off: whoever reads it notices.
                tracing::warn!(%error, "an export of the audit trail was broken off");
                Some((Err(std::io::Error::other(error)), None))
            }
        }
    });
    Ok(HttpResponse::Ok().content_type("application/x-ndjson").streaming(pages))
}

/// An export under way, up to the record that was the newest when it began.
struct Export {
    audit: Audit,
    chain: ChainId,
    after: i64,
    end: i64,
}

impl Export {
    async fn next_page(&mut self) -> agent_runtime::Result<Option<Bytes>> {
        if self.after >= self.end {
            return Ok(None);
        }
        let after = Some(self.after);
        let filter = AuditFilter { after, limit: MAX_PAGE, ..AuditFilter::of(self.chain) };
        let page = self.audit.page(&filter).await?;
        let wanted = page.records.iter().take_while(|record| record.sequence <= self.end);
        let lines: String = wanted.map(|record| record.to_json_line() + "\n").collect();
        self.after = page.records.last().map_or(self.end, |last| last.sequence);
        Ok((!lines.is_empty()).then(|| Bytes::from(lines)))
    }
}

fn filter(chain: ChainId, query: &ListRecords) -> Result<AuditFilter> {
    let page = Page::read(query.limit.as_deref(), query.cursor.as_deref())?;
    let mut defects = Vec::new();
    let newest_first = match query.order.as_deref() {
        None | Some("newest") => true,
        Some("oldest") => false,
        Some(_) => {
            defects.push(Defect::new("?order", "must be newest or oldest"));
            true
        }
    };
    let filter = AuditFilter {
        user_id: read::<i64>("?user_id", query.user_id.as_deref(), "the id of a user", &mut defects)
            .map(Into::into),
        action: query.action.clone(),
        outcome: read("?outcome", query.outcome.as_deref(), "success, denied or failed", &mut defects),
        request_id: query.request_id.clone(),
        since: instant("?since", query.since.as_deref(), &mut defects),
        until: instant("?until", query.until.as_deref(), &mut defects),
        after: page.cursor,
        limit: page.limit,
        newest_first,
        chain,
    };
    if defects.is_empty() { Ok(filter) } else { Err(ApiError::invalid(defects)) }
}

fn read<T: FromStr>(name: &str, text: Option<&str>, right: &str, defects: &mut Vec<Defect>) -> Option<T> {
    let parsed = text?.parse().ok();
    if parsed.is_none() {
        defects.push(Defect::new(name, format!("must be {right}")));
    }
    parsed
}

fn instant(name: &str, text: Option<&str>, defects: &mut Vec<Defect>) -> Option<Timestamp> {
    let quoted = serde_json::Value::String(text?.to_owned());
    let parsed = serde_json::from_value(quoted).ok();
    if parsed.is_none() {
        defects.push(Defect::new(name, "must be an instant such as 2026-01-01T12:00:00Z"));
    }
    parsed
}
