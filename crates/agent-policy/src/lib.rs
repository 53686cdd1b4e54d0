//! Says what a call may do: allowed, asked or denied.
//!
//! [`PolicyJudge`] holds each call of a tool against rules in three layers: what holds everywhere, what whoever runs the
//! server wants, what the plan wants; the strictest is heard. Commands are read as a shell would read them, through
//! wrappers, quotes, substitutions and scripts within scripts, down to the programs that run and the files that are
//! written. It reads only: what confines a command is the sandbox. Never knows who is asked, or what runs.
//!
//! ```
//! use agent_core::policy::{Judge, Judged, Permission, Policy};
//! use agent_policy::{PolicyJudge, RuleSet, demand_of};
//!
//! let rules = RuleSet::parse(r#"
//!     [[rules]]
//!     command = ["git", "push"]
//!     permission = "deny"
//!     reason = "releases go through the pipeline"
//! "#)?;
//! let judge = PolicyJudge::new(rules, []);
//! let (demand, policy) = (demand_of("make test && nohup env git -C . push &"), Policy::default());
//! let verdict = judge.judge(Judged { tool: "run_command", demand: &demand, policy: &policy });
//! assert_eq!(verdict.permission, Permission::Deny);
//! assert_eq!(verdict.reason, "releases go through the pipeline");
//! # Ok::<(), agent_policy::Error>(())
//! ```

mod builtin;
mod error;
mod explain;
mod judge;
mod pattern;
mod risk;
mod rules;
mod shell;
mod word;

pub use error::{Error, Result};
pub use explain::{ExplainedPart, Explanation, LayerAnswer, MatchingRule, PartKind, demand_of};
pub use judge::PolicyJudge;
pub use rules::RuleSet;
