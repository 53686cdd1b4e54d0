//! Coding tasks on small repositories as a specification: the repositories, the tools, the commands that check the
//! work, the journal and the database are real. Only what the model says is scripted.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect fails, and says where")]

mod budgets;
mod fixture;
mod hostile_words;
mod openings;
mod patches_land;
mod patches_refused;
mod plans_of_many_tasks;
mod programs;
mod providers;
mod restarts;
mod side_by_side;
mod stuck_models;
mod tool_failures;
mod words_of_completion;
