//! Judges calls: every layer says what it thinks, and the strictest is heard.

use crate::builtin::{Protected, of_danger};
use crate::risk;
use crate::rules::{Certainty, Compiled, RuleSet, problems};
use crate::shell::{Part, Reading, Write, normal, read_words};
use crate::word::Word;
use agent_core::policy::{
    Demand, Judge, Judged, Layer, ModeJudge, Permission, Risk, Rule, RuleProblem, Verdict,
};
use std::path::PathBuf;
use std::sync::Arc;

/// Judges calls by what holds everywhere, by the server's rules and by the plan's.
pub struct PolicyJudge {
    protected: Protected,
    server: RuleSet,
}

/// What one layer says of a call.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) layer: Layer,
    pub(crate) permission: Permission,
    pub(crate) reason: String,
    pub(crate) rule: Option<Arc<Rule>>,
}

/// What a call consists of, as the rules see it.
pub(crate) enum Piece<'c> {
    /// A part of a command.
    Part(&'c Part),
    /// A file that a tool writes.
    File(Write),
    /// A host.
    Host(&'c str),
    /// The call as such.
    Whole,
}

/// A call, read.
pub(crate) struct Read {
    pub(crate) reading: Option<Reading>,
    pub(crate) risk: Risk,
}

impl Read {
    pub(crate) fn new(demand: &Demand) -> Self {
        let reading = match demand {
            Demand::Command(argv) => Some(read_words(argv)),
            Demand::Read | Demand::Write(_) | Demand::Domain(_) | Demand::Other => None,
        };
        let risk = risk::of_demand(demand, reading.as_ref());
        Self { reading, risk }
    }

    pub(crate) fn pieces<'c>(&'c self, demand: &'c Demand) -> Vec<Piece<'c>> {
        let mut pieces: Vec<Piece<'c>> = match demand {
            Demand::Command(_) => {
                self.reading.iter().flat_map(|reading| &reading.parts).map(Piece::Part).collect()
            }
            Demand::Write(paths) => paths.iter().map(|path| Piece::File(file(path))).collect(),
            Demand::Domain(host) => vec![Piece::Host(host)],
            Demand::Read | Demand::Other => Vec::new(),
        };
        if pieces.is_empty() {
            pieces.push(Piece::Whole);
        }
        pieces
    }
}

fn file(path: &str) -> Write {
    Write { path: Word::new(normal(path)), with_all_beneath: false, by_redirection: false }
}

impl Piece<'_> {
    /// Whether a rule is about it.
    pub(crate) fn certainty(&self, rule: &Compiled, tool: &str) -> Certainty {
        if rule.is_about_tool(tool) {
            return Certainty::Yes;
        }
        match self {
            Self::Part(Part::Run(run)) => rule.on_run(run),
            Self::Part(Part::Write(write)) | Self::File(write) => rule.on_write(write),
            Self::Host(host) if rule.is_about_host(host) => Certainty::Yes,
            Self::Part(Part::Unreadable(..)) | Self::Host(_) | Self::Whole => Certainty::No,
        }
    }

    /// Whether leave for the rest of the call is leave for this too.
    fn comes_along(&self) -> bool {
        match self {
            Self::Part(Part::Run(run)) => run.is_transparent,
            Self::Part(Part::Write(write)) => !write.by_redirection,
            Self::Part(Part::Unreadable(..)) | Self::File(_) | Self::Host(_) | Self::Whole => false,
        }
    }
}

impl PolicyJudge {
    /// Judges by the server's rules. Paths that are protected besides git's and the server's own are relative to the
    /// workspace, or absolute.
    pub fn new(server_rules: RuleSet, protected: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { protected: Protected::new(protected), server: server_rules }
    }

    /// The rules of whoever runs the server.
    pub(crate) fn server_rules(&self) -> &RuleSet {
        &self.server
    }

    /// What each layer says, from the builtin one to the plan's.
    pub(crate) fn answers(&self, call: Judged<'_>, read: &Read) -> [Answer; 3] {
        let pieces = read.pieces(call.demand);
        let (plan, is_partial) = RuleSet::unchecked(&call.policy.rules);
        let mut answers = [
            self.builtin(call, read, &pieces),
            strictest(Layer::Server, &pieces, |piece| of_rules(&self.server, Layer::Server, piece, call)),
            strictest(Layer::Plan, &pieces, |piece| of_rules(&plan, Layer::Plan, piece, call)),
        ];
        // What needs no leave beside other parts needs it where there are none.
        let plan = &mut answers[2];
        if plan.permission == Permission::Allow
            && plan.rule.is_none()
            && pieces.iter().all(Piece::comes_along)
        {
            *plan = of_mode(call);
        }
        if is_partial && answers[2].permission < Permission::Ask {
            let reason = "one of the plan's rules cannot be read".to_owned();
            answers[2] = Answer { layer: Layer::Plan, permission: Permission::Ask, reason, rule: None };
        }
        answers
    }

    fn builtin(&self, call: Judged<'_>, read: &Read, pieces: &[Piece<'_>]) -> Answer {
        let level = call.policy.sandbox;
        let found = pieces.iter().filter_map(|piece| match piece {
            Piece::Part(part) => self.protected.of_part(part, level),
            Piece::File(write) => self.protected.of_write(write),
            Piece::Host(_) | Piece::Whole => None,
        });
        let danger = read.reading.as_ref().and_then(|reading| of_danger(read.risk, reading, level));
        let worst = danger.into_iter().chain(found).reduce(|a, b| if b.0 > a.0 { b } else { a });
        let (permission, reason) = worst.unwrap_or((Permission::Allow, nothing_against()));
        Answer { layer: Layer::Builtin, permission, reason, rule: None }
    }
}

impl Judge for PolicyJudge {
    fn judge(&self, call: Judged<'_>) -> Verdict {
        let read = Read::new(call.demand);
        verdict(self.answers(call, &read), read.risk)
    }

    fn problems(&self, rules: &[Rule]) -> Vec<RuleProblem> {
        problems(rules)
    }

    fn covers(&self, rule: &Rule, call: Judged<'_>) -> bool {
        if rule.permission != Permission::Allow {
            return false;
        }
        let Ok(rule) = Compiled::new(rule) else { return false };
        if rule.is_about_tool(call.tool) {
            return true;
        }
        let read = Read::new(call.demand);
        if read.reading.as_ref().is_some_and(|reading| !reading.dangers.is_empty()) {
            return false;
        }
        let pieces = read.pieces(call.demand);
        let is_matched = |piece: &Piece<'_>| piece.certainty(&rule, call.tool) == Certainty::Yes;
        pieces.iter().any(is_matched) && pieces.iter().all(|piece| is_matched(piece) || piece.comes_along())
    }
}

/// The strictest of the answers; among equals a rule's, then the highest layer's.
pub(crate) fn verdict(answers: [Answer; 3], risk: Risk) -> Verdict {
    let permission = answers.iter().map(|answer| answer.permission).max().unwrap_or(Permission::Ask);
    let mut heard = answers.into_iter().filter(|answer| answer.permission == permission);
    let first = if permission == Permission::Allow {
        let all: Vec<Answer> = heard.collect();
        all.iter().find(|answer| answer.rule.is_some()).or(all.last()).cloned()
    } else {
        heard.next()
    };
    let (layer, reason, rule) = first
        .map_or((Layer::Plan, nothing_against(), None), |answer| (answer.layer, answer.reason, answer.rule));
    Verdict { permission, layer, reason, rule: rule.map(Arc::unwrap_or_clone), risk }
}

fn nothing_against() -> String {
    "nothing speaks against it".to_owned()
}

/// The strictest answer of a layer to any piece.
fn strictest(layer: Layer, pieces: &[Piece<'_>], of: impl Fn(&Piece<'_>) -> Answer) -> Answer {
    let allowed = Answer { layer, permission: Permission::Allow, reason: nothing_against(), rule: None };
    pieces.iter().map(of).fold(allowed, |worst, next| {
        let says_more = next.permission == worst.permission && worst.rule.is_none() && next.rule.is_some();
        if next.permission > worst.permission || says_more { next } else { worst }
    })
}

/// What a layer's rules say of one piece, or else its default.
fn of_rules(rules: &RuleSet, layer: Layer, piece: &Piece<'_>, call: Judged<'_>) -> Answer {
    let mut worst: Option<Answer> = None;
    for rule in rules.compiled() {
        let permission = rule.rule.permission;
        let answer = match piece.certainty(rule, call.tool) {
            Certainty::Yes => {
                Answer { layer, permission, reason: reason(&rule.rule), rule: Some(rule.rule.clone()) }
            }
            Certainty::Maybe if permission > Permission::Allow => {
                let reason = format!(
                    "part of it is known only when it runs, and then this may hold: {}",
                    reason(&rule.rule)
                );
                Answer { layer, permission: Permission::Ask, reason, rule: Some(rule.rule.clone()) }
            }
            Certainty::Maybe | Certainty::No => continue,
        };
        if worst.as_ref().is_none_or(|worst| answer.permission > worst.permission) {
            worst = Some(answer);
        }
    }
    let unread = unreadable(rules, layer, piece);
    let answer = worst.unwrap_or_else(|| default(rules, layer, piece, call));
    match unread {
        Some(unread) if unread.permission > answer.permission => unread,
        _ => answer,
    }
}

/// What the approval mode says of a call as a whole.
fn of_mode(call: Judged<'_>) -> Answer {
    let Verdict { permission, reason, layer, .. } = ModeJudge.judge(call);
    Answer { layer, permission, reason, rule: None }
}

fn reason(rule: &Rule) -> String {
    rule.reason.clone().unwrap_or_else(|| match rule.permission {
        Permission::Allow => "a rule allows it".to_owned(),
        Permission::Ask => "a rule wants a person to decide".to_owned(),
        Permission::Deny => "a rule denies it".to_owned(),
    })
}

/// What cannot be read cannot be told from what the rules are about.
fn unreadable(rules: &RuleSet, layer: Layer, piece: &Piece<'_>) -> Option<Answer> {
    let Piece::Part(Part::Unreadable(text, why)) = piece else { return None };
    rules.distinguishes_commands().then(|| {
        let reason = format!("`{text}` cannot be read: {why}");
        Answer { layer, permission: Permission::Ask, reason, rule: None }
    })
}

fn default(rules: &RuleSet, layer: Layer, piece: &Piece<'_>, call: Judged<'_>) -> Answer {
    let answer = |permission, reason| Answer { layer, permission, reason, rule: None };
    if let Piece::Host(host) = piece
        && rules.allows_hosts()
    {
        return answer(
            Permission::Deny,
            format!("only certain hosts are allowed, and {host} is none of them"),
        );
    }
    if layer == Layer::Plan && !piece.comes_along() {
        return of_mode(call);
    }
    answer(Permission::Allow, nothing_against())
}
