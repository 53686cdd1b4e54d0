//! Questions of a model to the person whose plan it is.

use super::{Answer, Call, Gate, Stop};
use crate::approval::{Question, Resolution};
use crate::event::EventBody;
use crate::ports::{Approval, ApprovalFilter, Step, StepIntent, StepKind};
use crate::tool::{EffectClass, name};
use serde_json::{Value, json};

impl Gate<'_> {
    /// The answer to a question. Without one the attempt stops, and comes here again when there is one: the intent is
    /// on record, so that the question is asked once.
    pub(in crate::executor) async fn ask_person(&mut self, question: &str) -> Result<Answer, Stop> {
        let key = self.next_key();
        let name = name::ASK_PERSON;
        let step = self.take_recorded(key, StepKind::Tool, name)?;
        if let Some(result) = step.as_ref().and_then(|step| step.result.as_ref()) {
            return Ok(super::answer_of(result));
        }
        let input = json!({"question": question});
        let Some(step) = step else {
            let effect = EffectClass::Pure;
            let (kind, name, prepared) = (StepKind::Tool, name.to_owned(), Value::Null);
            let called = EventBody::ToolCalled { tool: name.clone(), summary: super::first_line(question) };
            let intent = StepIntent { kind, name, effect, input, prepared };
            self.begin(key, &intent, vec![called], None).await?;
            return Err(Stop::Ask(Box::new(Question::of_model(question, key.position))));
        };
        let Some(decided) = self.decision_on(&step).await? else {
            return Err(Stop::Ask(Box::new(Question::of_model(question, key.position))));
        };
        let answer = Answer::Ok(json!(in_words(&decided)));
        self.finish_tool(&Call { key, name, input, effect: None, said: true }, &answer).await?;
        Ok(answer)
    }

    /// What was decided on the question that this step asked: the first that the task has asked since.
    async fn decision_on(&self, step: &Step) -> Result<Option<Approval>, Stop> {
        let plan = &self.assignment.state.plan;
        let (all, _total) =
            self.ports.reader.approvals(&ApprovalFilter::of_plan(plan.owner.tenant, plan.id)).await?;
        let asked = all.into_iter().filter(|approval| {
            approval.task_id == self.assignment.task
                && approval.requested_at >= step.started_at
                // Questions of earlier versions do not say which call they are about.
                && approval.question.call.is_none_or(|call| call == step.key.position)
        });
        Ok(asked.min_by_key(|approval| approval.id).filter(|approval| approval.decision.is_some()))
    }
}

/// A decision as the model reads it.
fn in_words(decided: &Approval) -> String {
    let note = decided.note.as_deref().unwrap_or_default();
    match &decided.decision {
        Some(decision) if decision.approves() && note.is_empty() => "The person says yes.".to_owned(),
        Some(decision) if decision.approves() => format!("The person says: {note}"),
        Some(Resolution::Reject) if note.is_empty() => "The person says no.".to_owned(),
        Some(Resolution::Reject) => format!("The person says no: {note}"),
        _ => "Nobody answered in time. Decide yourself what is safe, or call finish and say what is missing."
            .to_owned(),
    }
}
