//! Catalogue of reusable plans and their parameters.
//!
//! Knows what a template is, when one is sound, how it is found and how it becomes a goal with tasks.
//! Never knows where templates of users are kept, or how a plan is executed.
//!
//! ```
//! use agent_templates::Catalogue;
//! use serde_json::json;
//!
//! let catalogue = Catalogue::builtin();
//! let template = catalogue.find("fix_failing_test")?;
//! let parameters = json!({"test_command": "cargo test"});
//! let plan = template.render(parameters.as_object().unwrap())?;
//! assert!(plan.goal.contains("cargo test"));
//! assert_eq!(plan.tasks.len(), template.tasks.len());
//! # Ok::<(), agent_templates::Error>(())
//! ```

mod catalogue;
mod check;
mod error;
mod parameters;
mod placeholder;
mod render;
mod search;
mod template;
mod text;

pub use catalogue::{Catalogue, Filter};
pub use error::{Error, Result};
pub use parameters::{Parameter, ParameterKind};
pub use render::RenderedPlan;
pub use search::Hit;
pub use template::{Difficulty, NewTemplate, Template, TemplateTask, WorkKind};
