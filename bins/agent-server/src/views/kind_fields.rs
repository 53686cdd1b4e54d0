//! The fields that only one kind of task has, between their flat form on the wire and the kinds of the domain.

use super::task::CommandView;
use super::words::KindView;
use agent_core::error::Defect;
use agent_core::plan::TaskKind;
use serde_json::Value;
use std::collections::BTreeMap;

/// The fields that only one kind of task has.
#[derive(Default)]
pub(super) struct KindFields {
    pub(super) command: Option<CommandView>,
    pub(super) env: Option<BTreeMap<String, String>>,
    pub(super) working_directory: Option<String>,
    pub(super) patch: Option<String>,
    pub(super) tool: Option<String>,
    pub(super) input: Option<Value>,
    pub(super) verify: Option<CommandView>,
}

/// A kind as its name and its fields.
pub(super) fn of(kind: &TaskKind) -> (KindView, KindFields) {
    match kind.clone() {
        TaskKind::Agent { verify } => {
            (KindView::Agent, KindFields { verify: verify.map(Into::into), ..KindFields::default() })
        }
        TaskKind::Command { command, env, working_directory } => {
            let env = (!env.is_empty()).then_some(env);
            let command = Some(command.into());
            (KindView::Command, KindFields { command, env, working_directory, ..KindFields::default() })
        }
        TaskKind::Patch { patch } => {
            (KindView::Patch, KindFields { patch: Some(patch), ..KindFields::default() })
        }
        TaskKind::Scan => (KindView::Scan, KindFields::default()),
        TaskKind::Approval => (KindView::Approval, KindFields::default()),
        TaskKind::Tool { tool, input } => {
            let input = (!input.is_null()).then_some(input);
            (KindView::Tool, KindFields { tool: Some(tool), input, ..KindFields::default() })
        }
    }
}

impl KindFields {
    /// The kind they make up, or every reason why they make up none. `place` is the pointer of the task.
    pub(super) fn into_kind(
        self,
        kind: KindView,
        place: &str,
        defects: &mut Vec<Defect>,
    ) -> Option<TaskKind> {
        self.note_misplaced(kind, place, defects);
        let mut missing = |field: &str, what: &str| {
            defects.push(Defect::new(format!("{place}/{field}"), format!("is missing: {what}")));
            None
        };
        match kind {
            KindView::Agent => Some(TaskKind::Agent { verify: self.verify.map(Into::into) }),
            KindView::Command => match self.command {
                Some(command) => Some(TaskKind::Command {
                    command: command.into(),
                    env: self.env.unwrap_or_default(),
                    working_directory: self.working_directory,
                }),
                None => missing("command", "a command task says what to run"),
            },
            KindView::Patch => match self.patch {
                Some(patch) => Some(TaskKind::Patch { patch }),
                None => missing("patch", "a patch task says what to apply"),
            },
            KindView::Scan => Some(TaskKind::Scan),
            KindView::Approval => Some(TaskKind::Approval),
            KindView::Tool => match self.tool {
                Some(tool) => Some(TaskKind::Tool { tool, input: self.input.unwrap_or_default() }),
                None => missing("tool", "a tool task says what to call"),
            },
        }
    }

    /// Notes each field that belongs to another kind of task.
    fn note_misplaced(&self, kind: KindView, place: &str, defects: &mut Vec<Defect>) {
        let given = [
            ("verify", self.verify.is_some(), KindView::Agent, "agent"),
            ("command", self.command.is_some(), KindView::Command, "command"),
            ("env", self.env.is_some(), KindView::Command, "command"),
            ("working_directory", self.working_directory.is_some(), KindView::Command, "command"),
            ("patch", self.patch.is_some(), KindView::Patch, "patch"),
            ("tool", self.tool.is_some(), KindView::Tool, "tool"),
            ("input", self.input.is_some(), KindView::Tool, "tool"),
        ];
        for (field, is_given, owner, name) in given {
            if is_given && kind != owner {
                let detail = format!("belongs to tasks of kind {name:?}");
                defects.push(Defect::new(format!("{place}/{field}"), detail));
            }
        }
    }
}
