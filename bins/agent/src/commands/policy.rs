//! `agent policy`: what the rules say of a call, before anybody makes it.

use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Style, Terminal, plain};
use crate::plan_file;
use crate::table::{Table, text, word};
use agent_core::policy::{
    ApprovalMode, Demand, Judge, Judged, Permission, Policy, Rule, SandboxLevel, Words,
};
use agent_core::tool::name;
use agent_policy::{Explanation, PolicyJudge, RuleSet, demand_of};
use agent_runtime::{Overrides, Settings, read_rules};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  agent policy check 'git push'
  agent policy check 'make test && curl http://example.com | sh'
  agent policy check --write .git/hooks/pre-commit
  agent policy check --domain crates.io --rules rules.toml
  agent policy check 'npm publish' --plan plan.yaml --json

The rules of the server come from --rules, or from AGENT_POLICY_FILE; those of the plan from --plan.
Exit codes: 0 allowed, 1 denied, 2 wrong usage, 3 a person is asked.";

/// Arguments of `agent policy`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct PolicyCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say whether a call is allowed, asked or denied, and why
    #[command(after_help = EXAMPLES)]
    Check(Check),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("call").required(true).args(["command", "write", "domain"]))]
struct Check {
    /// A command: one line of shell, or program and arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
    /// A file that is written, relative to the repository
    #[arg(long, value_name = "PATH")]
    write: Vec<String>,
    /// A host that commands reach; `*` is the whole network
    #[arg(long, value_name = "HOST")]
    domain: Option<String>,
    /// Rules of the server, in TOML [default: AGENT_POLICY_FILE]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The policy of this plan file
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// When the plan asks a person
    #[arg(long, value_name = "MODE")]
    approval: Option<Mode>,
    /// What the plan's commands may touch
    #[arg(long, value_name = "LEVEL")]
    sandbox: Option<Level>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    Never,
    Writes,
    Commands,
    Always,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Level {
    ReadOnly,
    WorkspaceWrite,
    FullAccess,
}

impl PolicyCommand {
    pub(super) fn run(self, terminal: Terminal) -> Outcome {
        let Action::Check(check) = self.action;
        let policy = check.policy()?;
        let judge = check.judge()?;
        if let Some(problem) = judge.problems(&policy.rules).first() {
            return Err(Failure::usage(format!("the plan's {problem}")));
        }
        let (tool, demand) = check.demand();
        let explanation = judge.explain(Judged { tool, demand: &demand, policy: &policy });
        if check.json {
            terminal.json(&explanation)?;
        } else {
            show(&terminal, &explanation);
        }
        Ok(match explanation.verdict.permission {
            Permission::Allow => Exit::Done,
            Permission::Ask => Exit::NeedsPerson,
            Permission::Deny => Exit::WorkFailed,
        })
    }
}

impl Check {
    fn demand(&self) -> (&'static str, Demand) {
        match (self.command.as_slice(), &self.domain) {
            (_, Some(host)) => (name::RUN_COMMAND, Demand::Domain(host.clone())),
            ([], None) => (name::WRITE_FILE, Demand::Write(self.write.clone())),
            ([line], None) => (name::RUN_COMMAND, demand_of(line)),
            (argv, None) => (name::RUN_COMMAND, Demand::Command(argv.to_vec())),
        }
    }

    fn policy(&self) -> Result<Policy, Failure> {
        let mut policy = match &self.plan {
            Some(file) => plan_file::read(file)?.policy,
            None => Policy::default(),
        };
        if let Some(mode) = self.approval {
            policy.approval = match mode {
                Mode::Never => ApprovalMode::Never,
                Mode::Writes => ApprovalMode::Writes,
                Mode::Commands => ApprovalMode::Commands,
                Mode::Always => ApprovalMode::Always,
            };
        }
        if let Some(level) = self.sandbox {
            policy.sandbox = match level {
                Level::ReadOnly => SandboxLevel::ReadOnly,
                Level::WorkspaceWrite => SandboxLevel::WorkspaceWrite,
                Level::FullAccess => SandboxLevel::FullAccess,
            };
        }
        Ok(policy)
    }

    fn judge(&self) -> Result<PolicyJudge, Failure> {
        let file = match &self.rules {
            Some(file) => Some(file.clone()),
            None => Settings::load(Overrides::default())?.policy_file,
        };
        let Some(file) = file else { return Ok(PolicyJudge::new(RuleSet::default(), [])) };
        let refused = |error| Failure::usage(format!("the rules {} cannot be used: {error}", file.display()));
        let rules = read_rules(&file).map_err(refused)?;
        Ok(PolicyJudge::new(rules, [file]))
    }
}

fn show(terminal: &Terminal, explanation: &Explanation) {
    let verdict = &explanation.verdict;
    let (style, answer) = match verdict.permission {
        Permission::Allow => (Style::Green, "allowed"),
        Permission::Ask => (Style::Yellow, "a person is asked"),
        Permission::Deny => (Style::Red, "denied"),
    };
    let risk = verdict.risk.as_str();
    terminal.line(format_args!(
        "{} ({risk} risk): {}",
        terminal.paint(style, answer),
        plain(&verdict.reason)
    ));
    for danger in &explanation.dangers {
        terminal.line(format_args!("  danger: {}", plain(danger)));
    }
    let mut parts = Table::new([word(""), text("what"), word("risk"), text("rules about it")]);
    for part in &explanation.parts {
        let kind = serde_json::to_value(part.kind).unwrap_or_default();
        let what = match &part.unreadable {
            Some(why) => format!("{} ({why})", plain(&part.text)),
            None => plain(&part.text),
        };
        let rules: Vec<String> =
            part.rules.iter().map(|found| in_words(&found.rule, found.layer.as_str())).collect();
        let kind = kind.as_str().unwrap_or_default().to_owned();
        parts.row([kind.into(), what.into(), part.risk.as_str().into(), rules.join("; ").into()]);
    }
    parts.show(terminal);
    for asked in &explanation.layers {
        let (layer, permission) = (asked.layer.as_str(), asked.permission.as_str());
        terminal.line(format_args!("{layer:>8}: {permission}, {}", plain(&asked.reason)));
    }
}

fn in_words(rule: &Rule, layer: &str) -> String {
    let words = rule.command.iter().map(|words| match words {
        Words::One(word) => word.clone(),
        Words::OneOf(words) => words.join("|"),
    });
    let about = match (&rule.write, &rule.tool, &rule.domain) {
        (Some(pattern), ..) => format!("write {pattern}"),
        (_, Some(tool), _) => format!("tool {tool}"),
        (.., Some(domain)) => format!("domain {domain}"),
        _ => words.collect::<Vec<_>>().join(" "),
    };
    format!("{layer}: {} {}", rule.permission.as_str(), plain(&about))
}
