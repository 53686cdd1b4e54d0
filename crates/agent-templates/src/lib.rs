//! Catalogue of reusable plans and their parameters.
//!
//! Knows what a template is, when one is sound, how it is found and how it becomes a goal with tasks, and what is to
//! be kept of the templates of a tenant. Never knows where those are kept, or how a plan is executed.
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
mod collisions;
mod error;
mod own;
mod parameters;
mod placeholder;
pub mod ports;
mod render;
mod search;
mod template;
mod text;
mod yaml;

pub use catalogue::{Catalogue, Filter};
pub use error::{Error, Result};
pub use own::{
    NewOwnTemplate, OwnTemplate, TemplateBounds, TemplateChange, TemplateNumber, TemplateRecord,
    TemplateVersion,
};
pub use parameters::{Parameter, ParameterKind};
pub use render::RenderedPlan;
pub use search::Hit;
pub use template::{Difficulty, MAX_DOCUMENT, NewTemplate, Template, TemplateTask, WorkKind};
pub use yaml::read_yaml;
