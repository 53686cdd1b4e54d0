//! Templates: those that are built in and those of the tenant, read.

use crate::conditional::digest;
use crate::error::{ApiError, Result};
use crate::extract::{Caller, ValidPath, ValidQuery, scope};
use crate::state::AppState;
use crate::views::template::{
    ListTemplates, SearchPath, TemplatePath, TemplateSearchView, TemplateSummaryView, TemplateVersionPath,
    TemplateVersionView, TemplateVersionsView, TemplateView,
};
use crate::views::write_template::WriteTemplate;
use actix_web::http::header::ETAG;
use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, HttpResponseBuilder, get};
use agent_runtime::TemplateEntry;
use agent_templates::{Difficulty, Filter, TemplateRecord};

fn difficulty(word: &str) -> Result<Difficulty> {
    match word {
        "easy" => Ok(Difficulty::Easy),
        "medium" => Ok(Difficulty::Medium),
        "hard" => Ok(Difficulty::Hard),
        _ => Err(ApiError::invalid_field("?difficulty", "is none of: easy, medium, hard")),
    }
}

/// Lists templates, all or those of a difficulty or with a tag.
#[utoipa::path(
    tag = "templates",
    params(ListTemplates),
    responses((status = 200, description = "The templates", body = Vec<TemplateSummaryView>), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/templates")]
pub(crate) async fn list_templates(
    caller: Caller<scope::PlansRead>,
    query: ValidQuery<ListTemplates>,
    state: Data<AppState>,
) -> Result<Json<Vec<TemplateSummaryView>>> {
    let difficulty = query.difficulty.as_deref().map(difficulty).transpose()?;
    let filter = Filter { difficulty, tag: query.tag.clone() };
    let found = state.agent().templates().list(&caller, &filter).await?;
    Ok(Json(found.into_iter().map(Into::into).collect()))
}

/// Finds a template with its tasks and parameters.
#[utoipa::path(
    tag = "templates",
    params(TemplatePath),
    responses(
        (status = 200, description = "The template", body = TemplateView,
         headers(("ETag" = String, description = "The version of a tenant's own, for If-Match"))),
        ApiError
    ),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/templates/{id}")]
pub(crate) async fn find_template(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<TemplatePath>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    Ok(answered(HttpResponse::Ok(), state.agent().templates().find(&caller, &path.id).await?))
}

/// The answer with a template; a tenant's own with its version for `If-Match`.
pub(super) fn answered(mut response: HttpResponseBuilder, entry: TemplateEntry) -> HttpResponse {
    if let Some(record) = &entry.record {
        response.insert_header((ETAG, template_tag(record)));
    }
    response.json(TemplateView::from(entry))
}

/// The tag of a tenant's template: its version, and what tells it from another that had the same id before.
pub(super) fn template_tag(record: &TemplateRecord) -> String {
    let rest = format!("{} {} {}", env!("CARGO_PKG_VERSION"), record.number, record.updated_at);
    format!("\"{}-{}\"", record.version, digest(rest.as_bytes()))
}

/// Writes a template as YAML, which `POST /templates` and `PUT /templates/{id}` take.
#[utoipa::path(
    tag = "templates",
    params(TemplatePath),
    responses((status = 200, description = "The template", body = WriteTemplate, content_type = "application/yaml"), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/templates/{id}/export")]
pub(crate) async fn export_template(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<TemplatePath>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let yaml = state.agent().templates().export(&caller, &path.id).await?;
    Ok(HttpResponse::Ok().content_type("application/yaml").body(yaml))
}

/// Lists the versions of a template that are kept, at most 100, oldest first.
#[utoipa::path(
    tag = "templates",
    params(TemplatePath),
    responses((status = 200, description = "The versions", body = TemplateVersionsView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/templates/{id}/versions")]
pub(crate) async fn list_template_versions(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<TemplatePath>,
    state: Data<AppState>,
) -> Result<Json<TemplateVersionsView>> {
    let versions = state.agent().templates().versions(&caller, &path.id).await?;
    Ok(Json(TemplateVersionsView::new(path.0.id, versions)))
}

/// Finds a template as it was in one of its versions.
#[utoipa::path(
    tag = "templates",
    params(TemplateVersionPath),
    responses((status = 200, description = "The version", body = TemplateVersionView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/templates/{id}/versions/{version}")]
pub(crate) async fn find_template_version(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<TemplateVersionPath>,
    state: Data<AppState>,
) -> Result<Json<TemplateVersionView>> {
    let version = state.agent().templates().version(&caller, &path.id, path.version).await?;
    Ok(Json(version.into()))
}

/// Finds templates in which every word occurs, best first.
#[utoipa::path(
    tag = "templates",
    params(SearchPath),
    responses((status = 200, description = "What was found", body = TemplateSearchView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/templates/search/{query}")]
pub(crate) async fn search_templates(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<SearchPath>,
    state: Data<AppState>,
) -> Result<Json<TemplateSearchView>> {
    let found = state.agent().templates().search(&caller, &path.query).await?;
    Ok(Json(TemplateSearchView::new(path.0.query, found)))
}
