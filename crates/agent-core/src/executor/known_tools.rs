//! Which tools the tasks of a plan call, and what that says of them.

use super::shared::Shared;
use crate::error::{Defect, Error, Result};
use crate::plan::{EditOperation, PlanEdit, TaskKind, TaskSpec};
use crate::tool::EffectClass;

impl Shared {
    /// Refuses tasks for tools that are not there; the others get the effect class of their tool.
    pub(super) fn know_tools<'a>(
        &self,
        tasks: impl Iterator<Item = (String, &'a mut TaskSpec)>,
    ) -> Result<()> {
        let mut defects = Vec::new();
        for (place, task) in tasks {
            match self.declared_effect(&task.kind, &place) {
                Ok(declared) => task.effect = task.effect.or(declared),
                Err(defect) => defects.push(defect),
            }
        }
        if defects.is_empty() { Ok(()) } else { Err(Error::InvalidPlan(defects)) }
    }

    /// The same for an edit; a task that is to call another tool gets the effect class of that one.
    pub(super) fn know_edited_tools(&self, edit: &mut PlanEdit) -> Result<()> {
        let mut defects = Vec::new();
        for (number, operation) in edit.operations.iter_mut().enumerate() {
            let place = format!("/operations/{number}/task");
            let declared = match &*operation {
                EditOperation::Add(spec) => self.declared_effect(&spec.kind, &place),
                EditOperation::Update(_, patch) => match &patch.kind {
                    Some(kind) => self.declared_effect(kind, &place),
                    None => Ok(None),
                },
                EditOperation::Remove(_) => Ok(None),
            };
            match (declared, operation) {
                (Err(defect), _) => defects.push(defect),
                (Ok(declared), EditOperation::Add(spec)) => spec.effect = spec.effect.or(declared),
                (Ok(Some(declared)), EditOperation::Update(_, patch)) => {
                    patch.effect.get_or_insert(Some(declared));
                }
                (Ok(_), _) => {}
            }
        }
        if defects.is_empty() { Ok(()) } else { Err(Error::InvalidPlan(defects)) }
    }

    /// The effect class of the tool that a kind of task calls, if it calls one.
    fn declared_effect(
        &self,
        kind: &TaskKind,
        place: &str,
    ) -> std::result::Result<Option<EffectClass>, Defect> {
        let TaskKind::Tool { tool: name, .. } = kind else { return Ok(None) };
        let unknown = || {
            let known = self.ports.tools.names().join(", ");
            Defect::new(format!("{place}/tool"), format!("there is no tool {name:?}; the tools are: {known}"))
        };
        self.ports.tools.get(name).map(|tool| Some(tool.effect())).ok_or_else(unknown)
    }
}
