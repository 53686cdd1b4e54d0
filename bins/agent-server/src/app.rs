//! The assembled application: operations, pages, and what becomes of everything else.

use crate::connection_limits::ConnectionLimits;
use crate::cors::Cors;
use crate::error::{ApiError, ErrorCode};
use crate::every_response::every_response;
use crate::routes;
use crate::state::AppState;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::ALLOW;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, Error, HttpRequest, HttpResponse};
use utoipa_actix_web::AppExt;

/// Puts an application for one worker together.
pub(crate) fn assemble(
    state: Data<AppState>,
    cors: Data<Cors>,
    limits: ConnectionLimits,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(state)
        .app_data(cors)
        .app_data(limits)
        .into_utoipa_app()
        .configure(routes::configure)
        .into_app()
        .configure(routes::documents::configure_assets)
        .default_service(web::to(nothing_here))
        .wrap(from_fn(every_response))
}

/// Answers what no operation takes: which methods a path has, a path that exists by another method, or nothing at all.
async fn nothing_here(request: HttpRequest, state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    let methods = state.document().methods_of(request.path());
    if methods.is_empty() {
        let detail = format!("there is nothing at {:.200}", request.path());
        return Err(ApiError::new(ErrorCode::NotFound, detail));
    }
    let allowed: Vec<&str> = methods.iter().chain([&Method::OPTIONS]).map(Method::as_str).collect();
    let allowed = allowed.join(", ");
    if *request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((ALLOW, allowed)).finish());
    }
    let detail = format!("{} is not possible here; use {allowed}", request.method());
    Err(ApiError::new(ErrorCode::MethodNotAllowed, detail).with_header("Allow", allowed))
}
