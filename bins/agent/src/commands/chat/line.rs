//! What a typed line asks for.

/// What the person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Nothing.
    Empty,
    /// A plan for this goal.
    Plan(String),
    /// The plan carried out.
    Execute,
    /// The plan with its tasks.
    ShowPlan,
    /// What the plan changed.
    Diff,
    /// What is in the repository.
    Scan,
    /// What was said.
    History,
    /// Yes, to what the plan waits for.
    Approve(Option<String>),
    /// No, with the reason.
    Reject(Option<String>),
    /// The plan stopped.
    Cancel,
    /// What can be typed.
    Help,
    /// The end.
    Exit,
    /// Words for the plan, or a goal where there is none yet.
    Say(String),
}

/// What can be typed, for `help`.
pub(super) const HELP: &str = "\
plan GOAL          make a plan for a goal
exec               carry the plan out; what you type meanwhile is heard by the model's next call
show plan          the plan with its tasks
diff               what the plan changed
scan               what is in the repository
history            what you, the models and their tools said
approve [NOTE]     yes, to what the plan waits for
reject [WHY]       no
cancel             stop the plan
exit               leave; the plan is kept
anything else      is said to the plan, or is the goal of a new one";

impl Line {
    pub(super) fn parse(line: &str) -> Self {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        let note = || (!rest.is_empty()).then(|| rest.to_owned());
        match (word.to_ascii_lowercase().as_str(), rest) {
            ("", _) => Self::Empty,
            ("plan", goal) if !goal.is_empty() => Self::Plan(goal.to_owned()),
            ("exec" | "execute" | "run", "") => Self::Execute,
            ("show", "plan" | "") | ("plan", "") => Self::ShowPlan,
            ("diff", "") => Self::Diff,
            ("scan", "") => Self::Scan,
            ("history", "") => Self::History,
            ("approve", _) => Self::Approve(note()),
            ("reject", _) => Self::Reject(note()),
            ("cancel", "") => Self::Cancel,
            ("help" | "?", "") => Self::Help,
            ("exit" | "quit", "") => Self::Exit,
            _ => Self::Say(line.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_words_for_the_plan() {
        for (line, wanted) in [
            ("plan  Mend the tests", Line::Plan("Mend the tests".into())),
            ("EXEC", Line::Execute),
            ("show plan", Line::ShowPlan),
            ("plan", Line::ShowPlan),
            ("approve", Line::Approve(None)),
            ("reject not on a Friday", Line::Reject(Some("not on a Friday".into()))),
            ("quit", Line::Exit),
            ("   ", Line::Empty),
            ("scan the parser first", Line::Say("scan the parser first".into())),
            ("show me", Line::Say("show me".into())),
        ] {
            assert_eq!(Line::parse(line), wanted, "{line}");
        }
    }
}
