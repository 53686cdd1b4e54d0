//! `agent templates`: the catalogue of reusable plans.

use crate::backend::{Backend, Place, introduce};
use crate::exit::{Exit, Outcome};
use crate::output::{Style, Terminal, plain};
use crate::plan_view::show_task;
use crate::table::{Cell, Table, number, text, word};
use agent_client::{Parameter, Template, TemplateFilter, TemplateSummary};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  agent templates list
  agent templates show fix_failing_test
  agent templates search api
  agent templates list --server https://agent.example

`agent run \"GOAL\" --template ID --parameter NAME=VALUE` carries one out.";

const LIST_EXAMPLES: &str = "\
Examples:
  agent templates list
  agent templates list --difficulty easy --tag testing
  agent templates list --json | jq '.[].id'";

const SHOW_EXAMPLES: &str = "\
Examples:
  agent templates show rest_api
  agent templates show rest_api --json | jq .parameters";

const SEARCH_EXAMPLES: &str = "\
Examples:
  agent templates search web
  agent templates search failing test --json";

/// Arguments of `agent templates`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Templates {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List templates
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Only of this difficulty
        #[arg(long, value_parser = PossibleValuesParser::new(["easy", "medium", "hard"]))]
        difficulty: Option<String>,
        /// Only with this tag
        #[arg(long)]
        tag: Option<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show a template, its tasks and what it asks for
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        /// The template
        id: String,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Find the templates in which every word occurs, best first
    #[command(after_help = SEARCH_EXAMPLES)]
    Search {
        /// The words
        #[arg(required = true)]
        words: Vec<String>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
}

impl Templates {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        self.place.during(false, async |backend| self.action.run(backend, terminal).await).await
    }
}

impl Action {
    async fn run(self, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        match self {
            Self::List { difficulty, tag, json } => {
                let found = backend.templates(&TemplateFilter { difficulty, tag }).await?;
                if json {
                    terminal.json(&found.json)?;
                } else {
                    introduce(backend, &terminal);
                    list(&terminal, &found.value);
                }
            }
            Self::Show { id, json } => {
                let found = backend.template(&id).await?;
                if json {
                    terminal.json(&found.json)?;
                } else {
                    introduce(backend, &terminal);
                    show(&terminal, &found.value);
                }
            }
            Self::Search { words, json } => {
                let found = backend.search_templates(&words.join(" ")).await?;
                if json {
                    terminal.json(&found.json)?;
                } else {
                    introduce(backend, &terminal);
                    list(&terminal, &found.value.results);
                }
            }
        }
        Ok(Exit::Done)
    }
}

fn list(terminal: &Terminal, templates: &[TemplateSummary]) {
    if templates.is_empty() {
        terminal.note("no template matches");
        return;
    }
    let mut table = Table::new([
        word("id"),
        word("difficulty"),
        number("tasks"),
        text("tags"),
        text("what comes out of it"),
    ]);
    for template in templates {
        table.row([
            template.id.as_str().into(),
            Cell::styled(&template.difficulty, style_of(&template.difficulty)),
            template.task_count.into(),
            template.tags.join(", ").into(),
            template.description.as_str().into(),
        ]);
    }
    table.show(terminal);
}

fn style_of(difficulty: &str) -> Style {
    match difficulty {
        "easy" => Style::Green,
        "medium" => Style::Yellow,
        _ => Style::Red,
    }
}

fn show(terminal: &Terminal, template: &Template) {
    let about = &template.summary;
    terminal.line(terminal.paint(Style::Bold, plain(&about.name)));
    terminal.line(plain(about.description.trim()));
    let tags = plain(&about.tags.join(", "));
    terminal.line(format_args!("{} · {} tasks · {tags}\n", plain(&about.difficulty), about.task_count));
    terminal.line(format_args!("goal: {}\n", plain(template.goal.trim())));
    for parameter in &template.parameters {
        show_parameter(terminal, parameter);
    }
    let mut phase = "";
    for task in &template.tasks {
        if task.phase != phase {
            phase = &task.phase;
            terminal.line(format_args!("\n{}", terminal.paint(Style::Bold, plain(phase))));
        }
        let after: Vec<String> = task.depends_on.iter().map(u32::to_string).collect();
        show_task(terminal, task.id, &plain(&task.kind), &task.description, &after.join(", "));
    }
}

fn show_parameter(terminal: &Terminal, parameter: &Parameter) {
    let value = match (&parameter.default, parameter.required) {
        (Some(default), _) => format!("default {default}"),
        (None, true) => "required".to_owned(),
        (None, false) => "may be left out".to_owned(),
    };
    let options = match parameter.options.as_slice() {
        [] => String::new(),
        options => format!(", one of {}", options.join(", ")),
    };
    let name = terminal.paint(Style::Cyan, plain(&parameter.name));
    let kind = plain(&parameter.kind);
    let about = plain(&format!("{value}{options}): {}", parameter.description));
    terminal.line(format_args!("  {name} ({kind}, {about}"));
}
