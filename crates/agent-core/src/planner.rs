//! Turns a goal into tasks with a language model: a schema to follow, checks on what comes back,
//! deterministic repair where that is safe, and a bounded number of repair rounds where it is not.

mod parse;
mod prompt;

use crate::error::{Error, Result};
use crate::model::{Message, Prompt, Silent};
use crate::plan::{PlanState, TaskSpec};
use crate::ports::{LanguageModel, Survey, Surveyor};
use std::path::Path;
use std::sync::Arc;

/// How often the model may mend an answer that is no valid plan.
const REPAIR_ROUNDS: u32 = 3;
/// Tokens of the map of the repository that the model is shown.
const MAP_TOKENS: usize = 1_024;

/// A plan as the planner hands it over.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Valid tasks.
    pub tasks: Vec<TaskSpec>,
    /// What was mended without asking the model, one sentence each.
    pub repairs: Vec<String>,
    /// How many answers the model needed.
    pub rounds: u32,
}

/// Makes plans.
pub struct Planner {
    model: Arc<dyn LanguageModel>,
    surveyor: Arc<dyn Surveyor>,
}

impl Planner {
    /// A planner that asks this model about repositories that this surveyor describes.
    pub fn new(model: Arc<dyn LanguageModel>, surveyor: Arc<dyn Surveyor>) -> Self {
        Self { model, surveyor }
    }

    /// Finds the tasks that reach a goal in a repository.
    ///
    /// # Errors
    /// `Planning` when the model cannot be asked or never yields a valid plan; `RepositoryRefused`.
    pub async fn plan(&self, goal: &str, folder: &Path) -> Result<Planned> {
        let survey = self.surveyor.survey(folder, goal, MAP_TOKENS).await?;
        self.ask(prompt::build(goal, &survey), &survey).await
    }

    /// Finds tasks for what is left of a plan in which one has failed; what is completed stays.
    ///
    /// # Errors
    /// As [`Planner::plan`].
    pub async fn replan(&self, state: &PlanState, folder: &Path) -> Result<Planned> {
        let survey = self.surveyor.survey(folder, &state.plan.goal, MAP_TOKENS).await?;
        self.ask(prompt::build_for_rest(state, &survey), &survey).await
    }

    async fn ask(&self, mut request: Prompt, survey: &Survey) -> Result<Planned> {
        let mut last = String::new();
        for round in 1..=REPAIR_ROUNDS + 1 {
            let answer = self.model.complete(&request, &mut Silent).await;
            let completion = answer.map_err(|error| Error::Planning(error.to_string()))?;
            match parse::parse(&completion.content, &survey.commands) {
                Ok(parsed) => {
                    return Ok(Planned { tasks: parsed.tasks, repairs: parsed.repairs, rounds: round });
                }
                Err(defects) => {
                    last = defects.clone();
                    request
                        .messages
                        .push(Message::Assistant { content: completion.content, tool_calls: Vec::new() });
                    request.messages.push(Message::user(prompt::repair(&defects)));
                }
            }
        }
        let model = self.model.describe().model;
        Err(Error::Planning(format!("{model} gave no valid plan in {} answers: {last}", REPAIR_ROUNDS + 1)))
    }
}

/// A plan in words, for the conversation.
pub fn describe(planned: &Planned) -> String {
    let mut text = String::from("The plan:\n");
    for (index, task) in planned.tasks.iter().enumerate() {
        let after: Vec<String> = task.depends_on.iter().map(u32::to_string).collect();
        let after = if after.is_empty() { String::new() } else { format!(" (after {})", after.join(", ")) };
        text.push_str(&format!("{}. [{}] {}{after}\n", index + 1, task.kind.name(), task.description));
    }
    for repair in &planned.repairs {
        text.push_str(&format!("Mended: {repair}\n"));
    }
    text
}
