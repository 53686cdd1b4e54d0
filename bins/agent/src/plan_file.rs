//! Plan files: what `agent run --plan` reads and `agent plan --yaml` writes. YAML, with the fields of `POST /plans`.

use crate::exit::{Failure, chain, listed};
use agent_core::plan::{CommandLine, OnUnknown, PlanState, Priority, RetryPolicy, Task, TaskKind};
use agent_core::policy::Policy;
use agent_core::tool::EffectClass;
use agent_runtime::CreatePlan;
use agent_server::views::create_plan::{CreatePlan as CreatePlanView, Defects};
use agent_server::views::edit_plan::EditPlan;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The largest plan file that is read, in bytes.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Reads an edit of a plan (`-`: standard input), with the fields of `PATCH /plans/{id}`.
pub(crate) fn read_edit(path: &Path) -> Result<EditPlan, Failure> {
    let shown = path.display();
    let text = text_of(path).map_err(|error| {
        Failure::usage(format!("the edit {shown} cannot be read: {error}; name a file or -"))
    })?;
    serde_saphyr::from_str(&text)
        .map_err(|error| Failure::usage(format!("the edit {shown} is not understood: {error}")))
}

/// Reads a plan file (`-`: standard input); whatever is wrong with it is named, and nothing has happened then.
pub(crate) fn read(path: &Path) -> Result<CreatePlan, Failure> {
    let shown = path.display();
    let text = text_of(path).map_err(|error| {
        Failure::usage(format!("the plan {shown} cannot be read: {error}; name a YAML file with --plan"))
    })?;
    let view: CreatePlanView = serde_saphyr::from_str(&text)
        .map_err(|error| Failure::usage(format!("the plan {shown} is not understood: {error}")))?;
    let request = CreatePlan::try_from(view).map_err(|Defects(defects)| Failure::usage(listed(&defects)));
    request.map_err(|failure| failure.during(format_args!("in {shown}")))
}

fn text_of(path: &Path) -> std::io::Result<String> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path)?)
    };
    let mut text = String::new();
    source.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(std::io::Error::other(format!("it has more than {LARGEST} bytes")));
    }
    Ok(text)
}

/// A plan as a file that [`read`] understands; what has its default is left out.
pub(crate) fn write(state: &PlanState) -> Result<String, Failure> {
    let file = PlanFile {
        goal: &state.plan.goal,
        policy: (state.plan.policy != Policy::default()).then_some(&state.plan.policy),
        tasks: state.tasks.iter().map(TaskEntry::of).collect(),
    };
    serde_saphyr::to_string(&file)
        .map_err(|error| Failure::work(format!("the plan cannot be written as YAML: {}", chain(&error))))
}

#[derive(Serialize)]
struct PlanFile<'a> {
    goal: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a Policy>,
    tasks: Vec<TaskEntry<'a>>,
}

#[derive(Serialize)]
struct TaskEntry<'a> {
    description: &'a str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<Priority>,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    depends_on: &'a [u32],
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<&'a CommandLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'a CommandLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_directory: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reads: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    writes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<&'a RetryPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    requires_approval: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<EffectClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_unknown: Option<OnUnknown>,
}

impl<'a> TaskEntry<'a> {
    fn of(task: &'a Task) -> Self {
        let spec = &task.spec;
        let mut entry = Self {
            description: &spec.description,
            kind: spec.kind.name(),
            priority: (spec.priority != Priority::default()).then_some(spec.priority),
            depends_on: &spec.depends_on,
            verify: None,
            command: None,
            env: None,
            working_directory: None,
            patch: None,
            tool: None,
            input: None,
            reads: &spec.reads,
            writes: &spec.writes,
            retry: (spec.retry != RetryPolicy::default()).then_some(&spec.retry),
            timeout_ms: spec.timeout_ms,
            requires_approval: spec.requires_approval,
            effect: spec.effect,
            on_unknown: spec.on_unknown,
        };
        match &spec.kind {
            TaskKind::Agent { verify } => entry.verify = verify.as_ref(),
            TaskKind::Command { command, env, working_directory } => {
                entry.command = Some(command);
                entry.env = (!env.is_empty()).then_some(env);
                entry.working_directory = working_directory.as_deref();
            }
            TaskKind::Patch { patch } => entry.patch = Some(patch),
            TaskKind::Tool { tool, input } => {
                entry.tool = Some(tool);
                entry.input = (!input.is_null()).then_some(input);
            }
            TaskKind::Scan | TaskKind::Approval => {}
        }
        entry
    }
}
