//! Works on one attempt at one task, by kind.

use super::agent_loop;
use super::assignment::Assignment;
use super::fact::Outcome;
use super::gate::{Gate, Stop, Wanted, outcome_of};
use super::wiring::ExecutorPorts;
use crate::failpoint;
use crate::plan::{Task, TaskKind};
use crate::tool::{CommandInput, CommandReport, EffectClass, name};
use serde_json::{Value, json};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// How long a tool may take to stop once its time is up: longer than a patch waits for its workspace, so that
/// nothing of the attempt still happens after it was recorded as ended.
const LAST_MOMENTS: Duration = Duration::from_secs(12);

/// A tool that keeps the time limit itself has more to tell than that it was stopped, and comes first.
const PRECEDENCE: Duration = Duration::from_millis(250);

/// The position of a call that is the whole attempt.
const WHOLE_ATTEMPT: u32 = 0;

/// Runs the attempt to its end. An error means: abandoned without a word, it goes on where its record ends.
pub(super) async fn run(ports: Arc<ExecutorPorts>, assignment: Assignment) -> crate::Result<Outcome> {
    let timeout = assignment.context.timeout;
    let Some(task) = assignment.state.task(assignment.task).cloned() else {
        return Err(crate::Error::TaskNotFound { plan: assignment.state.plan.id, task: assignment.task });
    };
    let mut working = pin!(work(&ports, &assignment, &task));
    let worked = tokio::select! {
        worked = &mut working => worked,
        () = tokio::time::sleep(timeout.saturating_add(PRECEDENCE)) => {
            assignment.context.cancel.cancel();
            let ended = tokio::time::timeout(LAST_MOMENTS, working).await;
            // What landed in the last moment did land, and is not to be done again.
            ended.ok().filter(Result::is_ok).unwrap_or_else(|| Err(Stop::Fail {
                error: format!("timed out after {}", in_words(timeout)),
                retryable: true,
            }))
        }
    };
    let redactor = &assignment.redactor;
    match worked {
        Ok(result) => Ok(Outcome::Completed { result: redactor.redact_json(result) }),
        Err(Stop::Fail { error, retryable }) => {
            Ok(Outcome::Failed { error: redactor.redact(&error).into_owned(), retryable })
        }
        Err(Stop::Unknown(detail)) => Ok(Outcome::Unknown { detail }),
        Err(Stop::Cancelled) => Ok(Outcome::Cancelled),
        Err(Stop::Ask(question)) => Ok(Outcome::Asks { question }),
        Err(Stop::Abandon(error)) => {
            tracing::warn!(task = %assignment.task, %error, "attempt abandoned");
            Err(error)
        }
    }
}

fn in_words(duration: Duration) -> String {
    if duration.as_millis().is_multiple_of(1_000) {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

async fn work(ports: &ExecutorPorts, assignment: &Assignment, task: &Task) -> Result<Value, Stop> {
    match &task.spec.kind {
        TaskKind::Command { command, env, working_directory } => {
            let input = CommandInput {
                command: command.argv(),
                working_directory: working_directory.clone(),
                env: env.clone(),
            };
            let output = single_step(ports, assignment, task, name::RUN_COMMAND, json!(input)).await?;
            judge_command(output)
        }
        TaskKind::Scan => single_step(ports, assignment, task, name::SCAN_REPOSITORY, json!({})).await,
        TaskKind::Patch { patch } => {
            let mut gate = Gate::open(ports, assignment).await?;
            gate.tool(name::APPLY_PATCH, json!({"patch": patch}), None).await?.into_output()
        }
        TaskKind::Agent { verify } => {
            let gate = Gate::open(ports, assignment).await?;
            agent_loop::work(ports, assignment, task, verify.as_ref(), gate).await
        }
        TaskKind::Tool { tool, input } if task.spec.effect_class() == EffectClass::Compensatable => {
            let mut gate = Gate::open(ports, assignment).await?;
            gate.tool(tool, input.clone(), None).await?.into_output()
        }
        TaskKind::Tool { tool, input } => single_step(ports, assignment, task, tool, input.clone()).await,
        TaskKind::Approval => Err(Stop::Fail {
            error: "an approval task is decided by a person, never run".to_owned(),
            retryable: false,
        }),
    }
}

/// Runs an attempt that is a single tool call: the attempt's own record is the record of the step,
/// so its start is the intent and its end the result, at no further commit.
async fn single_step(
    ports: &ExecutorPorts,
    assignment: &Assignment,
    task: &Task,
    tool: &str,
    input: Value,
) -> Result<Value, Stop> {
    let again = matches!(task.spec.effect_class(), EffectClass::Pure | EffectClass::Idempotent);
    if assignment.resumed && !again {
        return Err(Stop::Unknown(
            "the server stopped while this ran; whether it took effect is unverified.".to_owned(),
        ));
    }
    let Some((name, tool)) = ports.tools.get(tool).map(|found| (tool, found)) else {
        let error = format!("this server offers no tool {tool:?}, which the task needs");
        return Err(Stop::Fail { error, retryable: false });
    };
    let wanted =
        Wanted { tool: tool.as_ref(), name, input: &input, prepared: &Value::Null, position: WHOLE_ATTEMPT };
    if let Some(refusal) = wanted.refusal(ports, assignment).await? {
        return Err(Stop::Fail { error: refusal.reason, retryable: false });
    }
    let mut context = assignment.context.clone();
    let (plan, task, attempt) = (assignment.state.plan.id, assignment.task, assignment.attempt);
    context.idempotency_key = format!("plan-{plan}/task-{task}/attempt-{attempt}");
    failpoint::reach(failpoint::JOB_BEFORE_EFFECT);
    let called = tool.call_json(input, &context).await;
    failpoint::reach(failpoint::JOB_AFTER_EFFECT);
    outcome_of(called)?.into_output()
}

fn judge_command(output: Value) -> Result<Value, Stop> {
    let report: CommandReport = serde_json::from_value(output.clone()).map_err(|error| Stop::Fail {
        error: format!("the report of the command cannot be read: {error}"),
        retryable: false,
    })?;
    if report.succeeded() {
        return Ok(output);
    }
    Err(Stop::Fail { error: report.failure(), retryable: true })
}
