//! The OpenAPI document: collected from the registered operations, finished here.

mod examples;
mod headers;

use crate::error::{Problem, problem_response};
use crate::routes;
use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use std::collections::HashMap;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi};
use utoipa::{OpenApi as _, ToSchema};
use utoipa_actix_web::AppExt;

/// The document as text, and which methods each path has.
pub(crate) struct Document {
    json: String,
    paths: Vec<(ResourceDef, Vec<Method>)>,
    operations: HashMap<(Method, String), String>,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    components(schemas(Problem)),
    tags(
        (name = "plans", description = "A goal, the tasks that reach it, and where the work stands"),
        (name = "events", description = "What happens to plans, live and replayed"),
        (name = "approvals", description = "Questions to people"),
        (name = "templates", description = "Reusable plans"),
        (name = "repositories", description = "What plans work on"),
        (name = "webhooks", description = "Addresses that are told of events"),
        (name = "conversation", description = "What people, models and tools said"),
        (name = "analytics", description = "Figures about executions"),
        (name = "auth", description = "Logging in, tokens and API keys"),
        (name = "users", description = "Accounts, for administrators"),
        (name = "tenants", description = "Organisations on this server, for its operators"),
        (name = "audit", description = "Who did what"),
        (name = "system", description = "How the server is"),
        (name = "documents", description = "This description"),
        (name = "websocket", description = "Live monitoring")
    )
)]
struct Skeleton;

const DESCRIPTION: &str = "Turns a goal into a plan and the plan into finished, verified work on a repository.\n\n\
    Log in with `POST /auth/login`, send the token as `Authorization: Bearer`, or an API key as `X-API-Key`. \
    Every error is a problem (RFC 9457) with a stable `code`. Lists take `limit` and `cursor`. \
    Live events come over `GET /ws/{client_id}` or `GET /plans/{plan_id}/events/stream`.";

impl Document {
    /// Collects all operations and finishes what they leave open.
    pub(crate) fn build() -> Self {
        let app = actix_web::App::new().into_utoipa_app().openapi(Skeleton::openapi());
        let (_, mut api) = app.configure(routes::configure).split_for_parts();
        finish(&mut api);
        let operations = api.paths.paths.iter().map(|(path, item)| (path.as_str(), methods(item)));
        let assets = routes::documents::ASSETS.iter().map(|path| (*path, vec![Method::GET, Method::HEAD]));
        let paths =
            operations.chain(assets).map(|(path, methods)| (ResourceDef::new(path), methods)).collect();
        let known = api.paths.paths.iter().flat_map(|(path, item)| named(path, item)).collect();
        // A document of plain structs and text has no value that JSON could refuse.
        let mut document = serde_json::to_value(&api).unwrap_or_default();
        headers::complete(&mut document);
        examples::complete(&mut document);
        Self { json: format!("{document:#}"), paths, operations: known }
    }

    /// The document.
    pub(crate) fn json(&self) -> String {
        self.json.clone()
    }

    /// The id of the operation of a path as it was registered, such as `/plans/{plan_id}`.
    pub(crate) fn operation(&self, method: &Method, pattern: &str) -> Option<&str> {
        self.operations.get(&(method.clone(), pattern.to_owned())).map(String::as_str)
    }

    /// The methods of a path; empty when there is no such path.
    pub(crate) fn methods_of(&self, path: &str) -> &[Method] {
        let found = self.paths.iter().find(|(pattern, _)| pattern.is_match(path));
        found.map_or(&[], |(_, methods)| methods)
    }
}

fn named(path: &str, item: &PathItem) -> Vec<((Method, String), String)> {
    let all = [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ];
    let found = all.into_iter().filter_map(|(method, operation)| {
        let id = operation.as_ref()?.operation_id.clone()?;
        Some(((method, path.to_owned()), id))
    });
    found.collect()
}

fn methods(item: &PathItem) -> Vec<Method> {
    let present = [
        (Method::GET, item.get.is_some()),
        (Method::HEAD, item.get.as_ref().is_some_and(has_head)),
        (Method::POST, item.post.is_some()),
        (Method::PUT, item.put.is_some()),
        (Method::PATCH, item.patch.is_some()),
        (Method::DELETE, item.delete.is_some()),
    ];
    present.into_iter().filter_map(|(method, is_there)| is_there.then_some(method)).collect()
}

/// Whether a GET can also be asked for its head: all but the handshake of a WebSocket, which is a GET and nothing else.
fn has_head(operation: &Operation) -> bool {
    operation.operation_id.as_deref() != Some("open_websocket")
}

fn finish(api: &mut OpenApi) {
    let license = LicenseBuilder::new().name("Apache-2.0 OR MIT").build();
    api.info = InfoBuilder::new()
        .title("agent")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license))
        .build();
    let components = api.components.get_or_insert_with(Default::default);
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The access token of POST /auth/login, or an API key; not together with X-API-Key"))
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let key = ApiKeyValue::with_description(
        "X-API-Key",
        "An API key of POST /auth/token; not together with Authorization",
    );
    components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    for (path, item) in &mut api.paths.paths {
        let in_path = path.contains('{');
        let slots = [
            (&mut item.get, false),
            (&mut item.post, true),
            (&mut item.put, true),
            (&mut item.patch, true),
            (&mut item.delete, true),
        ];
        for (operation, changes) in slots {
            if let Some(operation) = operation {
                describe_problems(operation, in_path, changes);
            }
        }
    }
}

/// Operations whose body names something that may not exist.
const NAMES_OTHERS: [&str; 2] = ["create_plan", "create_message"];
/// Operations that take a password, and only so many wrong ones.
const CHECKS_PASSWORD: [&str; 2] = ["log_in", "change_password"];

/// Adds the problems that follow from an operation's shape; each handler could forget them, this cannot.
fn describe_problems(operation: &mut Operation, in_path: bool, changes: bool) {
    let has_body = operation.request_body.is_some();
    let has_parameters = operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty());
    let is_secured = operation.security.as_ref().is_some_and(|security| !security.is_empty());
    let names_others = operation.operation_id.as_deref().is_some_and(|id| NAMES_OTHERS.contains(&id));
    let checks_password = operation.operation_id.as_deref().is_some_and(|id| CHECKS_PASSWORD.contains(&id));
    let shapes = [
        (has_body || has_parameters || is_secured, "400", "The request is not understood"),
        (is_secured, "401", "No token or key, or one that is not accepted"),
        (is_secured, "403", "The token or key lacks the scope"),
        (in_path || names_others, "404", "No such thing, or somebody else's"),
        (has_body, "408", "The body did not arrive in time"),
        (true, "429", "More requests than the limits allow; see `Retry-After`"),
        (changes && is_secured, "409", "Not in the present state"),
        (has_body, "413", "The body is larger than 1 MiB"),
        (has_body, "415", "The body is not JSON, or has a Content-Encoding"),
        (has_body || has_parameters, "422", "Fields are wrong; see `errors`"),
        (checks_password, "429", "Too many wrong passwords; see `Retry-After`"),
    ];
    for (applies, status, description) in shapes {
        if applies {
            let responses = &mut operation.responses.responses;
            responses.entry(status.to_owned()).or_insert_with(|| problem_response(description));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_methods_of_a_path_are_known_and_others_are_not() {
        let document = Document::build();
        assert_eq!(document.methods_of("/plans"), [Method::GET, Method::HEAD, Method::POST]);
        assert_eq!(document.methods_of("/plans/7/execute"), [Method::POST]);
        assert_eq!(document.methods_of("/ws/me"), [Method::GET]);
        assert!(document.methods_of("/nowhere").is_empty());
    }
}
