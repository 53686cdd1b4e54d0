//! Templates of the tenant: made, replaced and deleted.

use super::templates::{answered, template_tag};
use crate::compression::plain_tag;
use crate::error::{ApiError, Problem, Result};
use crate::extract::{Caller, IdempotencyKey, IfMatch, JsonOrYaml, ValidPath, scope};
use crate::state::AppState;
use crate::views::template::{TemplatePath, TemplateView};
use crate::views::write_template::WriteTemplate;
use actix_web::http::header::IF_MATCH;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, post, put};
use agent_templates::TemplateRecord;

/// Makes a template of the tenant, from JSON or YAML.
///
/// Everything about it is checked; all defects are told at once. A tenant has 1,000 templates at most, each of at most
/// 64 KiB. With `Idempotency-Key`, a repeated request finds the template of the first.
#[utoipa::path(
    tag = "templates",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request harmless; 1 to 255 characters")),
    request_body(content((WriteTemplate = "application/json"), (WriteTemplate = "application/yaml"))),
    responses(
        (status = 201, description = "The template", body = TemplateView,
         headers(("Location" = String, description = "Path of the template"), ("ETag" = String, description = "Its version and a digest, for If-Match"))),
        ApiError
    ),
    security(("bearer" = ["plans:write"]), ("api_key" = ["plans:write"]))
)]
#[post("/templates")]
pub(crate) async fn create_template(
    caller: Caller<scope::PlansWrite>,
    key: IdempotencyKey,
    body: JsonOrYaml<WriteTemplate>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let idempotency = key.with(&body.0)?;
    let entry = state.agent().templates().create(&caller, body.0.into(), idempotency).await?;
    let mut response = HttpResponse::Created();
    response.insert_header(("Location", format!("/templates/{}", entry.template.id)));
    Ok(answered(response, entry))
}

/// Writes another version of a template of the tenant, from JSON or YAML.
///
/// For its author and administrators of the tenant. What says the same as the present version makes no other. Of the
/// versions before, the latest stay readable: 99 of a template, and 1,000 of all templates of the tenant together.
/// Plans that were made from them stay as they are.
#[utoipa::path(
    tag = "templates",
    params(
        TemplatePath,
        ("If-Match" = String, Header, description = "The template's `version` as its author has seen it, such as `\"3\"`, or its `ETag`, which tells it from another that had its id before; `*` replaces whatever is there", example = "\"1\"")
    ),
    request_body(content((WriteTemplate = "application/json"), (WriteTemplate = "application/yaml"))),
    responses(
        (status = 200, description = "The template as it is now", body = TemplateView,
         headers(("ETag" = String, description = "Its version and a digest, for If-Match"))),
        (status = 412, description = "The template was changed since", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing", body = Problem, content_type = "application/problem+json"),
        ApiError
    ),
    security(("bearer" = ["plans:write"]), ("api_key" = ["plans:write"]))
)]
#[put("/templates/{id}")]
pub(crate) async fn replace_template(
    caller: Caller<scope::PlansWrite>,
    path: ValidPath<TemplatePath>,
    seen: IfMatch,
    body: JsonOrYaml<WriteTemplate>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let shown = request.headers().get(IF_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let shown = shown.to_owned();
    let is_meant = |record: &TemplateRecord| may_mean(&shown, record);
    let templates = state.agent().templates();
    let entry = templates.update(&caller, &path.id, seen.0, &is_meant, body.0.into()).await?;
    Ok(answered(HttpResponse::Ok(), entry))
}

/// Whether `If-Match` may mean this template: where it holds a whole tag, in whatever encoding, it must be the present
/// one. A version alone is compared elsewhere.
fn may_mean(shown: &str, record: &TemplateRecord) -> bool {
    let bare = plain_tag(shown.trim().trim_matches('"'));
    !bare.contains('-') || template_tag(record).trim_matches('"') == bare
}

/// Deletes a template of the tenant with all its versions.
///
/// For its author and administrators of the tenant. Its id is free then; plans that were made from it stay.
#[utoipa::path(
    tag = "templates",
    params(TemplatePath),
    responses((status = 204, description = "The template is gone"), ApiError),
    security(("bearer" = ["plans:write"]), ("api_key" = ["plans:write"]))
)]
#[delete("/templates/{id}")]
pub(crate) async fn delete_template(
    caller: Caller<scope::PlansWrite>,
    path: ValidPath<TemplatePath>,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    state.agent().templates().delete(&caller, &path.id).await?;
    Ok(HttpResponse::NoContent().finish())
}
