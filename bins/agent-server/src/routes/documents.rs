//! The description of the API, for programs and for people; nothing of it needs the internet.

use crate::error::{ApiError, ErrorCode, Result};
use crate::state::AppState;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpResponse, get};
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::Config;

/// What the pages may load: their own files only. Both readers set styles by script, and ReDoc searches in
/// a worker that it makes from a blob.
pub(crate) const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; \
    base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";

/// Gives the OpenAPI 3.1 document.
#[utoipa::path(
    tag = "documents",
    responses((status = 200, description = "The document", body = Object, content_type = "application/json"), ApiError)
)]
#[get("/openapi.json")]
pub(crate) async fn show_document(state: Data<AppState>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "public, no-cache"))
        .body(state.document().json())
}

/// Shows Swagger UI, to try the API in a browser.
#[utoipa::path(
    tag = "documents",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"), ApiError)
)]
#[get("/docs")]
pub(crate) async fn show_swagger_ui() -> Result<HttpResponse> {
    swagger_file("index.html")
}

/// Shows ReDoc, to read about the API in a browser.
#[utoipa::path(
    tag = "documents",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"), ApiError)
)]
#[get("/redoc")]
pub(crate) async fn show_redoc() -> HttpResponse {
    page(REDOC.0.clone())
}

/// Paths of the files of the two pages, which are no operations of the API.
pub(crate) const ASSETS: [&str; 3] = ["/docs/{file:.*}", "/redoc/", "/redoc.js"];

/// Files of the two pages, and their paths with a slash at the end.
pub(crate) fn configure_assets(config: &mut ServiceConfig) {
    config.service(show_swagger_file).service(show_redoc_script).service(show_redoc_with_slash);
}

#[get("/docs/{file:.*}")]
async fn show_swagger_file(file: Path<String>) -> Result<HttpResponse> {
    let file = if file.is_empty() { "index.html" } else { file.as_str() };
    swagger_file(file)
}

#[get("/redoc/")]
async fn show_redoc_with_slash() -> HttpResponse {
    page(REDOC.0.clone())
}

#[get("/redoc.js")]
async fn show_redoc_script() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "public, max-age=86400"))
        .body(REDOC.1.clone())
}

fn page(html: impl Into<Bytes>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, HTML)).insert_header(("Content-Security-Policy", PAGE_POLICY));
    response.insert_header((CACHE_CONTROL, "public, no-cache"));
    response.body(html.into())
}

fn swagger_file(name: &str) -> Result<HttpResponse> {
    let config = Config::new(["/openapi.json"])
        .validator_url("none")
        .display_operation_id(true)
        .display_request_duration(true)
        .try_it_out_enabled(true);
    let served = utoipa_swagger_ui::serve(name, Arc::new(config));
    let file = served.map_err(|error| ApiError::internal(error.to_string()))?;
    let file = file.ok_or_else(|| ApiError::new(ErrorCode::NotFound, "Swagger UI has no such file"))?;
    if name == "index.html" {
        let html = String::from_utf8_lossy(&file.bytes);
        // The page is also served without a slash at the end, where relative links would miss.
        return Ok(page(html.replacen("<head>", "<head>\n    <base href=\"/docs/\">", 1)));
    }
    let mut response = HttpResponse::Ok();
    response.content_type(file.content_type).insert_header((CACHE_CONTROL, "public, max-age=86400"));
    Ok(response.body(file.bytes.into_owned()))
}

/// What ReDoc shows beside the name of its makers: the only thing that it would load from elsewhere.
const REDOC_LOGO: &str = "https://cdn.redoc.ly/redoc/logo-mini.svg";
/// An image of nothing.
const NO_IMAGE: &str = "data:,";

/// ReDoc's page and its script. The crate that brings ReDoc puts the script into the page; taking it out
/// lets the page do with a policy that forbids inline scripts.
static REDOC: LazyLock<(Bytes, Bytes)> = LazyLock::new(|| {
    let html = aide::redoc::Redoc::new("/openapi.json").with_title("agent API").html();
    let parts = html.split_once("<script>").and_then(|(before, rest)| {
        let (script, after) = rest.rsplit_once("</script>")?;
        // Without an icon of its own, a browser asks for one where there is none.
        let before =
            before.replacen("</head>", &format!("<link rel=\"icon\" href=\"{NO_IMAGE}\"></head>"), 1);
        let page = format!("{before}<script src=\"/redoc.js\"></script>{after}");
        Some((page, script.replace(REDOC_LOGO, NO_IMAGE)))
    });
    let (page, script) = parts.unwrap_or_default();
    (page.into(), script.into())
});
