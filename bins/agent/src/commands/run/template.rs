//! The template that a plan is made from, with values for what it asks.

use crate::backend::Backend;
use crate::exit::Failure;
use agent_client::Parameter;
use clap::Args;
use serde_json::{Map, Value};

/// Which template, and what it is told.
#[derive(Debug, Args)]
#[command(next_help_heading = "Template")]
pub(super) struct TemplateArguments {
    /// Take the tasks from this template; no language model is asked for a plan
    #[arg(long, value_name = "ID", requires = "goal")]
    template: Option<String>,
    /// What the template asks for; may be given several times
    #[arg(long, value_name = "NAME=VALUE", requires = "template", value_parser = pair)]
    parameter: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

impl TemplateArguments {
    /// The template and its parameters, as the template says what kind each is of.
    pub(super) async fn chosen(
        &self,
        backend: &dyn Backend,
    ) -> Result<Option<(String, Map<String, Value>)>, Failure> {
        let Some(id) = &self.template else { return Ok(None) };
        let asked = backend.template(id).await?.value.parameters;
        let mut parameters = Map::new();
        for (name, value) in &self.parameter {
            // A name that the template does not know is for it to refuse.
            let kind = asked.iter().find(|parameter| parameter.name == *name);
            parameters.insert(name.clone(), read(kind, value)?);
        }
        Ok(Some((id.clone(), parameters)))
    }
}

fn read(parameter: Option<&Parameter>, value: &str) -> Result<Value, Failure> {
    let Some(parameter) =
        parameter.filter(|parameter| matches!(parameter.kind.as_str(), "number" | "boolean"))
    else {
        return Ok(value.into());
    };
    let read = serde_json::from_str(value).ok().filter(|read: &Value| match parameter.kind.as_str() {
        "number" => read.is_number(),
        _ => read.is_boolean(),
    });
    let Parameter { name, kind, .. } = parameter;
    read.ok_or_else(|| Failure::usage(format!("--parameter {name}={value}: the template asks for a {kind}")))
}
