//! Shows how a verdict comes about, for whoever writes rules.

use crate::judge::{Answer, Piece, PolicyJudge, Read, verdict};
use crate::risk;
use crate::rules::{Certainty, RuleSet};
use crate::shell::{Part, single_command};
use crate::word::{UNKNOWN, shown};
use agent_core::policy::{Demand, Judged, Layer, Permission, Risk, Rule, Verdict};
use serde::Serialize;

/// How a verdict comes about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// What the call consists of, and the rules about each.
    pub parts: Vec<ExplainedPart>,
    /// What the way in which the parts are put together does, at its worst.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dangers: Vec<String>,
    /// What each layer says of the whole.
    pub layers: Vec<LayerAnswer>,
    /// The verdict.
    pub verdict: Verdict,
}

/// One part of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedPart {
    /// What it is.
    pub kind: PartKind,
    /// The words, the path, the host or the tool; `…` stands for what is known only when it runs.
    pub text: String,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// How much harm it could do.
    pub risk: Risk,
    /// The rules about it.
    pub rules: Vec<MatchingRule>,
}

/// What a part of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// A program that runs.
    Command,
    /// A file that is written.
    Write,
    /// Something that cannot be read.
    Unreadable,
    /// A host that is reached.
    Domain,
    /// The call of a tool as such.
    Tool,
}

/// A rule about a part of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatchingRule {
    /// Whose rule it is.
    pub layer: Layer,
    /// Whether it matches for certain; otherwise what is known only when it runs decides.
    pub certain: bool,
    /// The rule.
    pub rule: Rule,
}

/// What one layer says of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerAnswer {
    /// The layer.
    pub layer: Layer,
    /// What it says.
    pub permission: Permission,
    /// Why.
    pub reason: String,
}

/// What a line of shell demands: its words where it is one program with words that mean themselves, else a shell with
/// the line as its script.
///
/// ```
/// use agent_core::policy::Demand;
/// use agent_policy::demand_of;
///
/// assert_eq!(demand_of("git push 'origin'"), Demand::Command(vec!["git".into(), "push".into(), "origin".into()]));
/// assert_eq!(demand_of("ls | wc"), Demand::Command(vec!["sh".into(), "-c".into(), "ls | wc".into()]));
/// ```
pub fn demand_of(text: &str) -> Demand {
    let words = single_command(text).filter(|words| !words.is_empty());
    Demand::Command(words.unwrap_or_else(|| vec!["sh".to_owned(), "-c".to_owned(), text.to_owned()]))
}

impl PolicyJudge {
    /// Judges a call and shows how the verdict comes about.
    pub fn explain(&self, call: Judged<'_>) -> Explanation {
        let read = Read::new(call.demand);
        let (plan, _) = RuleSet::unchecked(&call.policy.rules);
        let answers = self.answers(call, &read);
        let sets = [(Layer::Server, self.server_rules()), (Layer::Plan, &plan)];
        let pieces = read.pieces(call.demand);
        let parts = pieces.iter().map(|piece| explained(piece, &sets, call, read.risk)).collect();
        let dangers =
            read.reading.iter().flat_map(|reading| &reading.dangers).map(|danger| (*danger).to_owned());
        let layers = answers.iter().map(LayerAnswer::from).collect();
        Explanation { parts, dangers: dangers.collect(), layers, verdict: verdict(answers, read.risk) }
    }
}

impl From<&Answer> for LayerAnswer {
    fn from(answer: &Answer) -> Self {
        Self { layer: answer.layer, permission: answer.permission, reason: answer.reason.clone() }
    }
}

fn explained(piece: &Piece<'_>, sets: &[(Layer, &RuleSet)], call: Judged<'_>, whole: Risk) -> ExplainedPart {
    let mut rules = Vec::new();
    for (layer, set) in sets {
        for rule in set.compiled() {
            let certainty = piece.certainty(rule, call.tool);
            if certainty > Certainty::No {
                let certain = certainty == Certainty::Yes;
                rules.push(MatchingRule { layer: *layer, certain, rule: (*rule.rule).clone() });
            }
        }
    }
    let (kind, text, why) = match piece {
        Piece::Part(Part::Run(run)) => {
            (PartKind::Command, run.views.first().map(|view| shown(&view.words)).unwrap_or_default(), None)
        }
        Piece::Part(Part::Write(write)) | Piece::File(write) => {
            (PartKind::Write, write.path.text().replace(UNKNOWN, "…"), None)
        }
        Piece::Part(Part::Unreadable(text, why)) => {
            (PartKind::Unreadable, text.clone(), Some((*why).to_owned()))
        }
        Piece::Host(host) => (PartKind::Domain, (*host).to_owned(), None),
        Piece::Whole => (PartKind::Tool, call.tool.to_owned(), None),
    };
    let risk = if let Piece::Part(part) = piece { risk::of_part(part) } else { whole };
    ExplainedPart { kind, text, unreadable: why, risk, rules }
}
