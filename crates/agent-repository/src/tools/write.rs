//! Tools that change files: planned first, recorded, applied as a whole.

use super::{Recorder, blocking, told};
use crate::Error;
use crate::patch::{self, Applied, ChangeRecord, ChangeSet, DiskState, History, Origin, PatchSet};
use crate::path_guard::{RelativePath, Root};
use agent_core::policy::Demand;
use agent_core::tool::{EffectClass, Recovery, Tool, ToolContext, ToolError, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// How often a change is planned anew when files move under it. Each time another writer has got on, so this is how
/// many may write to the same files at once.
const REPLANS: u32 = 32;

/// Applies a patch, all of it or nothing.
pub struct ApplyPatch {
    recorder: Option<Recorder>,
}

impl ApplyPatch {
    /// Records what it does, where a recorder is given.
    #[must_use]
    pub fn new(recorder: Option<Recorder>) -> Self {
        Self { recorder }
    }
}

/// What [`ApplyPatch`] is asked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchInput {
    /// A unified diff, a `*** Begin Patch` envelope, or search/replace blocks.
    pub patch: String,
}

/// Writes a whole file.
pub struct WriteFile {
    recorder: Option<Recorder>,
}

impl WriteFile {
    /// Records what it does, where a recorder is given.
    #[must_use]
    pub fn new(recorder: Option<Recorder>) -> Self {
        Self { recorder }
    }
}

/// What [`WriteFile`] is asked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteInput {
    /// File relative to the repository root; missing folders are made.
    pub path: String,
    /// The whole new content.
    pub content: String,
}

/// What the journal keeps of a change before it is made.
#[derive(Serialize, Deserialize)]
struct Prepared {
    record: ChangeRecord,
    report: Applied,
}

/// Names that end so belong to a server whose data lies in the workspace.
const OF_THE_SERVER: &str = ".jwt-secret";
/// A folder of that name holds its history of changes.
const HISTORY_OF_THE_SERVER: &str = ".agent-history";

/// Refuses changes of the server's own files.
fn guarded(root: Root, changes: ChangeSet) -> Result<(Root, ChangeSet), Error> {
    let is_private = |path: &RelativePath| {
        path.as_str().ends_with(OF_THE_SERVER)
            || path.as_str().split('/').any(|part| part == HISTORY_OF_THE_SERVER)
    };
    let mut files = changes.report().files.iter();
    if files.any(|file| is_private(&file.path) || file.previous_path.as_ref().is_some_and(is_private)) {
        let detail = format!(
            "files named *{OF_THE_SERVER} and those in {HISTORY_OF_THE_SERVER} belong to the server; leave them alone"
        );
        return Err(Error::Request { detail });
    }
    Ok((root, changes))
}

impl Recorder {
    fn history(&self, root: &Root) -> Result<History, Error> {
        History::of_workspace(&self.folder, root)
    }

    /// Applies a change and records it under the step that it belongs to.
    fn apply(&self, root: &Root, changes: &ChangeSet, step: &str) -> Result<Applied, Error> {
        let origin = Origin { step: Some(step.to_owned()) };
        Ok(self.history(root)?.apply(root, changes, &origin, self.clock.now())?.applied)
    }
}

fn plan_patch(workspace: &Path, input: &PatchInput) -> Result<(Root, ChangeSet), Error> {
    let root = Root::open(workspace)?;
    let changes = patch::plan_changes(&root, &PatchSet::parse(&input.patch)?)?;
    guarded(root, changes)
}

fn plan_write(workspace: &Path, input: &WriteInput) -> Result<(Root, ChangeSet), Error> {
    let root = Root::open(workspace)?;
    let changes = patch::write_file(&root, &RelativePath::new(&input.path)?, &input.content)?;
    guarded(root, changes)
}

type Planning<I> = fn(&Path, &I) -> Result<(Root, ChangeSet), Error>;

async fn prepare<I: Clone + Send + 'static>(
    planning: Planning<I>,
    input: &I,
    context: &ToolContext,
) -> Result<Value, ToolError> {
    let (workspace, input) = (context.workspace.clone(), input.clone());
    blocking(move || {
        let (_, changes) = planning(&workspace, &input).map_err(|error| told(&error))?;
        let prepared = Prepared { record: changes.record(), report: changes.report().clone() };
        serde_json::to_value(prepared).map_err(|error| told(&error))
    })
    .await
}

async fn apply<I: Send + 'static>(
    planning: Planning<I>,
    input: I,
    context: &ToolContext,
    recorder: Option<Recorder>,
) -> Result<Applied, ToolError> {
    let (workspace, step) = (context.workspace.clone(), context.idempotency_key.clone());
    blocking(move || {
        for _ in 0..REPLANS {
            let (root, changes) = planning(&workspace, &input).map_err(|error| told(&error))?;
            let applied = match &recorder {
                Some(recorder) => recorder.apply(&root, &changes, &step),
                None => changes.apply(&root),
            };
            match applied {
                Err(Error::Conflict { .. }) => {}
                Err(error @ (Error::File { .. } | Error::RestoreFailed { .. } | Error::History { .. })) => {
                    let message = error.to_string();
                    return Err(ToolError::Fatal { message, retryable: true, source: Some(Box::new(error)) });
                }
                other => return other.map_err(|error| told(&error)),
            }
        }
        Err(ToolError::Report(
            "the files keep changing while the change is written; read them again".to_owned(),
        ))
    })
    .await
}

/// Looks at the disk after a crash: a finished change is accepted, a half-written one taken back.
async fn recover(prepared: Value, context: &ToolContext, recorder: Option<Recorder>) -> Recovery {
    let Ok(prepared) = serde_json::from_value::<Prepared>(prepared) else {
        // Planning had failed before anything was written, so the call only has to fail again.
        return Recovery::Redo;
    };
    let workspace = context.workspace.clone();
    let judged = tokio::task::spawn_blocking(move || -> Result<Recovery, Error> {
        let root = Root::open(&workspace)?;
        if let Some(recorder) = recorder {
            recorder.history(&root)?.recover(&root)?;
        }
        match prepared.record.state_on_disk(&root)? {
            DiskState::AllAfter => {
                prepared.record.discard_temporaries(&root)?;
                Ok(Recovery::Done(serde_json::to_value(prepared.report).unwrap_or(Value::Null)))
            }
            DiskState::AllBefore | DiskState::Mixed => {
                prepared.record.roll_back(&root)?;
                Ok(Recovery::Redo)
            }
        }
    });
    match judged.await {
        Ok(Ok(recovery)) => recovery,
        Ok(Err(error)) => Recovery::Unknown(told(&error).to_string()),
        Err(error) => Recovery::Unknown(error.to_string()),
    }
}

/// Every path that a prepared change touches, both names of a file that moves included.
fn written(prepared: &Value) -> Demand {
    let Ok(prepared) = Prepared::deserialize(prepared) else { return Demand::Other };
    let files = prepared.report.files.iter();
    let paths = files.flat_map(|file| std::iter::once(&file.path).chain(file.previous_path.as_ref()));
    Demand::Write(paths.map(RelativePath::to_string).collect())
}

impl Tool for ApplyPatch {
    type Input = PatchInput;
    type Output = Applied;
    const NAME: &'static str = name::APPLY_PATCH;
    const DESCRIPTION: &'static str = "Changes files by a patch, all of it or nothing: a unified diff, or \
         *** Begin Patch / *** Update File: path / @@ / lines with ' ', '-' or '+' / *** End Patch. \
         Where a hunk does not fit, the answer shows what the file really says there.";
    const EFFECT: EffectClass = EffectClass::Compensatable;

    fn summary(input: &PatchInput) -> String {
        let Ok(patch) = PatchSet::parse(&input.patch) else {
            return "a patch that cannot be read".to_owned();
        };
        let paths: Vec<String> = patch.files.iter().map(|file| file.path.to_string()).collect();
        paths.join(", ")
    }

    fn demand(_input: &PatchInput, prepared: &Value) -> Demand {
        written(prepared)
    }

    async fn prepare(&self, input: &PatchInput, context: &ToolContext) -> Result<Value, ToolError> {
        prepare(plan_patch, input, context).await
    }

    async fn call(&self, input: PatchInput, context: &ToolContext) -> Result<Applied, ToolError> {
        apply(plan_patch, input, context, self.recorder.clone()).await
    }

    async fn recover(&self, _input: PatchInput, prepared: Value, context: &ToolContext) -> Recovery {
        recover(prepared, context, self.recorder.clone()).await
    }
}

impl Tool for WriteFile {
    type Input = WriteInput;
    type Output = Applied;
    const NAME: &'static str = name::WRITE_FILE;
    const DESCRIPTION: &'static str =
        "Writes a whole text file. Use it for new files; change existing ones with apply_patch.";
    const EFFECT: EffectClass = EffectClass::Compensatable;

    fn summary(input: &WriteInput) -> String {
        input.path.clone()
    }

    fn demand(_input: &WriteInput, prepared: &Value) -> Demand {
        written(prepared)
    }

    async fn prepare(&self, input: &WriteInput, context: &ToolContext) -> Result<Value, ToolError> {
        prepare(plan_write, input, context).await
    }

    async fn call(&self, input: WriteInput, context: &ToolContext) -> Result<Applied, ToolError> {
        apply(plan_write, input, context, self.recorder.clone()).await
    }

    async fn recover(&self, _input: WriteInput, prepared: Value, context: &ToolContext) -> Recovery {
        recover(prepared, context, self.recorder.clone()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::model::Silent;
    use agent_core::policy::SandboxLevel;
    use std::sync::Arc;
    use std::time::Duration;

    const WRITERS: usize = 12;

    fn context(workspace: &Path) -> ToolContext {
        ToolContext {
            workspace: workspace.to_owned(),
            sandbox: SandboxLevel::default(),
            network: false,
            domains: Arc::default(),
            hidden: Arc::default(),
            timeout: Duration::from_secs(60),
            cancel: Default::default(),
            idempotency_key: "plan-1/task-1/attempt-1/step-1".to_owned(),
            progress: Arc::new(Silent),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_dozen_patches_of_one_file_at_the_same_time_all_land() {
        let folder = tempfile::tempdir().unwrap();
        let lines: String = (0..WRITERS).map(|number| format!("{number}: open\n")).collect();
        std::fs::write(folder.path().join("list.txt"), lines).unwrap();
        let mut writing = tokio::task::JoinSet::new();
        for number in 0..WRITERS {
            let context = context(folder.path());
            let patch = format!("--- list.txt\n+++ list.txt\n@@ @@\n-{number}: open\n+{number}: done\n");
            writing.spawn(async move {
                ApplyPatch::new(None)
                    .call(PatchInput { patch }, &context)
                    .await
                    .map(|applied| applied.files.len())
            });
        }
        for applied in writing.join_all().await {
            assert_eq!(applied.unwrap(), 1);
        }
        let written = std::fs::read_to_string(folder.path().join("list.txt")).unwrap();
        assert_eq!(written.matches("done").count(), WRITERS, "{written}");
    }
}
