//! Every operation, registered once: for requests and for the document alike.

pub(crate) mod analytics;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod conversation;
pub(crate) mod documents;
pub(crate) mod events;
pub(crate) mod metrics;
pub(crate) mod plan_moves;
pub(crate) mod plan_versions;
pub(crate) mod plan_workspaces;
pub(crate) mod plans;
pub(crate) mod policy;
pub(crate) mod scan;
pub(crate) mod system;
pub(crate) mod template_changes;
pub(crate) mod templates;
pub(crate) mod tenants;
pub(crate) mod users;
pub(crate) mod webhooks;
pub(crate) mod websocket;

use utoipa_actix_web::service_config::ServiceConfig;

/// The list of all operations.
pub(crate) fn configure(config: &mut ServiceConfig<'_>) {
    configure_system(config);
    // First: the router tries one pattern after the other, and plans are asked for most.
    configure_plans(config);
    config
        .service(auth::log_in)
        .service(auth::refresh_session)
        .service(auth::log_out)
        .service(auth::validate_token)
        .service(auth::change_password)
        .service(auth::create_key)
        .service(auth::list_keys)
        .service(auth::revoke_key)
        .service(users::create_user)
        .service(users::list_users)
        .service(users::update_user)
        .service(users::remove_user)
        .service(tenants::create_tenant)
        .service(tenants::list_tenants)
        .service(tenants::list_own_tenants)
        .service(tenants::list_members)
        .service(tenants::create_member)
        .service(tenants::set_member)
        .service(tenants::remove_member)
        .service(tenants::show_repository_roots)
        .service(tenants::set_repository_roots);
    configure_webhooks(config);
    configure_templates(config);
    config
        .service(audit::list_audit_records)
        .service(audit::show_audit_chain)
        .service(audit::export_audit_records)
        .service(analytics::show_analytics)
        .service(analytics::show_performance)
        .service(analytics::show_task_analytics)
        .service(analytics::show_plan_analytics)
        .service(analytics::list_analytics_by)
        .service(conversation::list_messages)
        .service(conversation::create_message)
        .service(scan::scan_repository)
        .service(events::list_all_events)
        .service(events::stream_all_events)
        .service(websocket::create_ticket)
        .service(websocket::open_websocket);
}

fn configure_system(config: &mut ServiceConfig<'_>) {
    config
        .service(system::show_root)
        .service(system::show_health)
        .service(system::show_readiness)
        .service(system::show_stats)
        .service(metrics::show_metrics)
        .service(documents::show_document)
        .service(documents::show_swagger_ui)
        .service(documents::show_redoc);
}

fn configure_plans(config: &mut ServiceConfig<'_>) {
    config
        .service(plans::create_plan)
        .service(plans::list_plans)
        .service(plans::find_plan)
        .service(plan_versions::edit_plan)
        .service(plan_versions::list_versions)
        .service(plan_versions::find_version)
        .service(plans::list_tasks)
        .service(plans::list_executions)
        .service(plan_workspaces::show_diff)
        .service(plan_workspaces::merge_plan)
        .service(plan_workspaces::discard_plan)
        .service(plan_moves::execute_plan)
        .service(plan_moves::pause_plan)
        .service(plan_moves::resume_plan)
        .service(plan_moves::cancel_plan)
        .service(plan_moves::retry_plan)
        .service(events::list_events)
        .service(events::stream_events)
        .service(approvals::list_approvals)
        .service(approvals::find_approval)
        .service(approvals::decide_approval)
        .service(policy::check_policy);
}

fn configure_templates(config: &mut ServiceConfig<'_>) {
    config
        // Before the versions of one: no template has the id `search`.
        .service(templates::search_templates)
        .service(templates::list_templates)
        .service(templates::find_template)
        .service(template_changes::create_template)
        .service(template_changes::replace_template)
        .service(template_changes::delete_template)
        .service(templates::export_template)
        .service(templates::list_template_versions)
        .service(templates::find_template_version);
}

fn configure_webhooks(config: &mut ServiceConfig<'_>) {
    config
        .service(webhooks::create_webhook)
        .service(webhooks::list_webhooks)
        .service(webhooks::find_webhook)
        .service(webhooks::update_webhook)
        .service(webhooks::delete_webhook)
        .service(webhooks::rotate_webhook_secret);
}
