//! Questions to the person at the terminal.

use crate::backend::Backend;
use crate::exit::Failure;
use crate::output::{Style, Terminal, plain};
use crate::signals::interrupted;
use agent_client::{Approval, ApprovalFilter};
use agent_core::approval::Resolution;
use agent_core::ids::PlanId;
use agent_runtime::PersonsAnswer;
use std::io::{BufRead, IsTerminal};
use tokio::sync::oneshot;

/// Open questions of one plan that are shown at once.
const MOST: u32 = 200;
/// The longest that is shown of what a yes covers, in bytes.
const LONGEST: usize = 4_000;

/// The open questions of a plan, oldest first.
pub(crate) async fn open(backend: &dyn Backend, plan: PlanId) -> Result<Vec<Approval>, Failure> {
    let wanted = ApprovalFilter { plan_id: Some(plan), limit: Some(MOST), ..ApprovalFilter::default() };
    Ok(backend.approvals(&wanted).await?.value.approvals)
}

/// Shows a question with all that a person needs to decide.
pub(crate) fn show(terminal: &Terminal, asked: &Approval) {
    let title = format!("approval {} · {} · {} risk", asked.id, asked.kind.as_str(), asked.risk.as_str());
    terminal.line(terminal.paint(Style::Yellow, title));
    terminal.line(format_args!("  {}", plain(&asked.subject)));
    if let Some(reason) = &asked.reason {
        terminal.line(format_args!("  because {}", plain(reason)));
    }
    let place = match asked.call {
        Some(call) => format!("plan {}, task {}, call {call}", asked.plan_id, asked.task_id),
        None => format!("plan {}, task {}", asked.plan_id, asked.task_id),
    };
    terminal.line(format_args!("  {place}; lapses {} ({})", asked.expires_at, asked.on_expiry.as_str()));
    if !asked.args_hash.is_empty() {
        terminal.line(format_args!("  covers {}", plain(&asked.args_hash)));
        let covers = serde_json::to_string_pretty(&asked.covers).unwrap_or_default();
        let cut = covers.floor_char_boundary(LONGEST);
        let more = if cut < covers.len() { "\n  … (`agent approvals show --json` shows all)" } else { "" };
        let indented: Vec<String> = plain(&covers[..cut]).lines().map(|line| format!("  {line}")).collect();
        terminal.line(format_args!("{}{more}", indented.join("\n")));
    }
    if let Some(decision) = &asked.decision {
        let by = asked.decided_by.as_deref().unwrap_or_default();
        terminal.line(format_args!("  {} by {}", plain(decision), plain(by)));
    }
}

/// Whether somebody is there to be asked.
pub(crate) fn somebody_is_there(terminal: &Terminal) -> bool {
    terminal.live && std::io::stdin().is_terminal()
}

/// Asks the person at the terminal each open question of a plan; false when one was left open.
pub(crate) async fn ask(backend: &dyn Backend, plan: PlanId, terminal: &Terminal) -> Result<bool, Failure> {
    for asked in open(backend, plan).await? {
        show(terminal, &asked);
        let Some((decision, note)) = prompt(terminal, &asked).await? else { return Ok(false) };
        answer(backend, asked, decision, note).await?;
    }
    Ok(true)
}

/// Answers a question that was looked at; one that is about other bytes by now takes no answer.
pub(crate) async fn answer(
    backend: &dyn Backend,
    asked: Approval,
    decision: Resolution,
    note: Option<String>,
) -> Result<(), Failure> {
    let answer = PersonsAnswer { decision, note, args_hash: Some(asked.args_hash) };
    backend.decide(asked.id, answer).await?;
    Ok(())
}

/// Reads an answer; `None` when the person leaves the question open.
async fn prompt(
    terminal: &Terminal,
    asked: &Approval,
) -> Result<Option<(Resolution, Option<String>)>, Failure> {
    let for_plan = asked.kind.is_call();
    let offered = if for_plan { "y = yes, p = yes for the whole plan, " } else { "y [WORDS] = yes, " };
    loop {
        terminal.note(format_args!("{offered}n [WHY] = no, c = cancel the plan, q = decide later"));
        let Some(line) = typed_line().await? else { return Ok(None) };
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let note = Some(rest.trim().to_owned()).filter(|note| !note.is_empty());
        match word.to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(Some((Resolution::Approve, note))),
            "p" | "plan" if for_plan => return Ok(Some((Resolution::ApproveForPlan, note))),
            "n" | "no" => return Ok(Some((Resolution::Reject, note))),
            "c" | "cancel" => return Ok(Some((Resolution::Cancel, note))),
            "q" | "quit" => return Ok(None),
            _ => {}
        }
    }
}

/// The next line of standard input; `None` at its end.
async fn typed_line() -> Result<Option<String>, Failure> {
    let (sender, typed) = oneshot::channel();
    // A read cannot be taken back, and a thread of the runtime would keep the program from ending.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        // Whoever was interrupted does not listen any more.
        let _unheard = sender.send(read.map(|bytes| (bytes > 0).then_some(line)));
    });
    tokio::select! {
        line = typed => Ok(line.map_err(std::io::Error::other)??),
        () = interrupted() => Err(Failure::work("interrupted; the question stays open: `agent approvals list`")),
    }
}
