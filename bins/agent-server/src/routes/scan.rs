//! Repositories, described.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, OptionalJson, ValidQuery, scope};
use crate::state::AppState;
use crate::views::scan::{ScanQuery, ScanRepository, ScanView};
use actix_web::post;
use actix_web::web::{Data, Json};

/// Describes a repository: files, languages, the tree, what builds and tests it; on request its symbols.
#[utoipa::path(
    tag = "repositories",
    params(ScanQuery),
    request_body = ScanRepository,
    responses((status = 200, description = "The description", body = ScanView), ApiError),
    security(("bearer" = ["repositories:read"]), ("api_key" = ["repositories:read"]))
)]
#[post("/scan")]
pub(crate) async fn scan_repository(
    caller: Caller<scope::RepositoriesRead>,
    query: ValidQuery<ScanQuery>,
    body: OptionalJson<ScanRepository>,
    state: Data<AppState>,
) -> Result<Json<ScanView>> {
    let repo_path = query.0.repo_path.or(body.0.repo_path);
    let symbols = query.0.symbols.or(body.0.symbols).unwrap_or(false);
    let (root, info) = state.agent().repositories().scan(&caller, repo_path.as_deref(), symbols).await?;
    Ok(Json(ScanView { repository: root.display().to_string(), info }))
}
