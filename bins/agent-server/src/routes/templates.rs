//! The catalogue of templates.

use crate::error::{ApiError, Result};
use crate::extract::{Caller, ValidPath, ValidQuery, scope};
use crate::state::AppState;
use crate::views::template::{
    ListTemplates, SearchPath, TemplatePath, TemplateSearchView, TemplateSummaryView, TemplateView,
};
use actix_web::get;
use actix_web::web::{Data, Json};
use agent_templates::{Difficulty, Filter};

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
    _caller: Caller<scope::PlansRead>,
    query: ValidQuery<ListTemplates>,
    state: Data<AppState>,
) -> Result<Json<Vec<TemplateSummaryView>>> {
    let difficulty = query.difficulty.as_deref().map(difficulty).transpose()?;
    let filter = Filter { difficulty, tag: query.tag.clone() };
    let found = state.agent().templates().catalogue().list(&filter);
    Ok(Json(found.into_iter().map(Into::into).collect()))
}

/// Finds a template with its tasks and parameters.
#[utoipa::path(
    tag = "templates",
    params(TemplatePath),
    responses((status = 200, description = "The template", body = TemplateView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/templates/{id}")]
pub(crate) async fn find_template(
    _caller: Caller<scope::PlansRead>,
    path: ValidPath<TemplatePath>,
    state: Data<AppState>,
) -> Result<Json<TemplateView>> {
    Ok(Json(state.agent().templates().find(&path.id)?.into()))
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
    _caller: Caller<scope::PlansRead>,
    path: ValidPath<SearchPath>,
    state: Data<AppState>,
) -> Result<Json<TemplateSearchView>> {
    let hits = state.agent().templates().catalogue().search(&path.query);
    Ok(Json(TemplateSearchView::new(path.query.clone(), &hits)))
}
