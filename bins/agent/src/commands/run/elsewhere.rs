//! A plan that is made and carried out at a server, in a repository there.

use super::Run;
use crate::backend::{Place, Server};
use crate::exit::{Failure, Outcome};
use crate::output::{Style, Terminal, paint, plain};
use agent_runtime::CreatePlan;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use std::path::Path;

/// Which server, and who asks it. Only a flag takes work elsewhere: neither the environment nor a stored login does.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(super) struct ServerArguments {
    /// Make the plan at this server and watch it; --repo is a folder there
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new(),
          conflicts_with_all = ["resume", "isolated", "provider", "model", "base_url", "script"])]
    pub(super) server: Option<String>,
    /// The access token for the server, in place of a stored login
    #[arg(long, value_name = "TOKEN", env = "AGENT_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The API key for the server, in place of a stored login
    #[arg(long, value_name = "KEY", env = "AGENT_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
}

impl ServerArguments {
    /// The server that is named; `None` for this machine.
    pub(super) fn named(&self) -> Result<Option<Server>, Failure> {
        match &self.server {
            Some(url) => Place::at(url, self.token.clone(), self.api_key.clone()).choose(),
            None => Ok(None),
        }
    }
}

/// Makes the plan there, and watches it like one here.
pub(super) async fn run(run: &Run, server: &Server, request: CreatePlan, terminal: Terminal) -> Outcome {
    if !run.quiet() && request.tasks.is_empty() {
        introduce_model(server, terminal).await?;
    }
    let mut plan = agent_client::CreatePlan::new(request.goal).under(request.policy);
    if !request.tasks.is_empty() {
        plan = plan.with_tasks(request.tasks);
    }
    if let Some((id, parameters)) = run.template.chosen(server).await? {
        plan = plan.from_template(id, parameters);
    }
    if let Some(folder) = run.repo.as_deref().map(Path::display) {
        plan = plan.in_repository(folder.to_string());
    }
    let created = server.client.plans().create(&plan.execute()).await?;
    run.watch(server, created.plan_id, terminal).await
}

/// Says in words who is going to answer there.
async fn introduce_model(server: &Server, terminal: Terminal) -> Result<(), Failure> {
    let provider = server.client.health().await?.llm_provider;
    if provider == "scripted" {
        let text = format!("no language model at {}: a script says what a model would say", server.url);
        terminal.note(paint(terminal.error_colours, Style::Yellow, text));
    } else {
        terminal.note(format_args!("language model at {}: {}", server.url, plain(&provider)));
    }
    Ok(())
}
