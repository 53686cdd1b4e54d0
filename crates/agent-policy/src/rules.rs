//! Rules, checked and ready to be held against calls.

mod compiled;
mod examples;

pub(crate) use compiled::{Certainty, Compiled, Subject};

use crate::error::{Error, Result};
use agent_core::policy::{Permission, Rule, RuleProblem};
use serde::Deserialize;

/// Rules of one layer that were checked: each says what it is about, and its examples hold.
///
/// ```
/// let rules = agent_policy::RuleSet::parse(r#"
///     [[rules]]
///     command = ["git", ["push", "fetch"]]
///     permission = "deny"
///     reason = "releases go through the pipeline"
///     match = ["git push origin main"]
///     not_match = ["git status"]
/// "#)?;
/// assert_eq!(rules.rules().len(), 1);
/// # Ok::<(), agent_policy::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    compiled: Vec<Compiled>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    rules: Vec<Rule>,
}

impl RuleSet {
    /// The rules of a TOML text with `[[rules]]` tables.
    ///
    /// # Errors
    /// [`Error::Text`] when the text is no such TOML, [`Error::Rules`] when rules or their examples are wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let document: Document = toml::from_str(text).map_err(|error| Error::Text(error.to_string()))?;
        Self::new(document.rules)
    }

    /// These rules.
    ///
    /// # Errors
    /// [`Error::Rules`] when rules or their examples are wrong; all of them are named.
    pub fn new(rules: Vec<Rule>) -> Result<Self> {
        let problems = problems(&rules);
        if !problems.is_empty() {
            return Err(Error::Rules(problems));
        }
        Ok(Self::unchecked(&rules).0)
    }

    /// The rules as they were written.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.compiled.iter().map(|compiled| compiled.rule.as_ref())
    }

    /// The rules that can be used, without a look at their examples; and whether some cannot be used.
    pub(crate) fn unchecked(rules: &[Rule]) -> (Self, bool) {
        let compiled: Vec<Compiled> = rules.iter().filter_map(|rule| Compiled::new(rule).ok()).collect();
        let is_partial = compiled.len() < rules.len();
        (Self { compiled }, is_partial)
    }

    pub(crate) fn compiled(&self) -> &[Compiled] {
        &self.compiled
    }

    /// Whether a rule about commands asks or denies, so that it matters what a command is.
    pub(crate) fn distinguishes_commands(&self) -> bool {
        let tightens = |rule: &Compiled| rule.rule.permission > Permission::Allow;
        self.compiled.iter().any(|rule| tightens(rule) && matches!(rule.subject, Subject::Command(_)))
    }

    /// Whether certain hosts are allowed, so that the others are not.
    pub(crate) fn allows_hosts(&self) -> bool {
        let allows = |rule: &Compiled| {
            matches!(rule.subject, Subject::Domain(_)) && rule.rule.permission == Permission::Allow
        };
        self.compiled.iter().any(allows)
    }
}

/// What is wrong with rules, their examples included.
pub(crate) fn problems(rules: &[Rule]) -> Vec<RuleProblem> {
    let problem = |(index, rule): (usize, &Rule)| {
        let checked = Compiled::new(rule).and_then(|compiled| examples::check(&compiled));
        checked.err().map(|detail| RuleProblem { index, detail })
    };
    rules.iter().enumerate().filter_map(problem).collect()
}
