//! Reads a model's answer as a plan and checks it; mends what can be mended without changing its meaning.

mod files;

use crate::error::Error;
use crate::plan::{CommandLine, Priority, TaskKind, TaskSpec, graph};
use crate::tool::EffectClass;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A valid plan, and what was mended to make it one.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) tasks: Vec<TaskSpec>,
    pub(super) repairs: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    tasks: Vec<Proposed>,
}

#[derive(Debug, Deserialize)]
struct Proposed {
    description: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    priority: Option<String>,
    #[serde(default)]
    depends_on: Vec<Value>,
    #[serde(default)]
    reads: Vec<Value>,
    #[serde(default)]
    writes: Vec<Value>,
    #[serde(default)]
    command: Option<CommandLine>,
    #[serde(default)]
    verify: Option<CommandLine>,
}

/// The plan in the text, or what is wrong with it in words for the model.
pub(super) fn parse(text: &str, commands: &[Vec<String>]) -> Result<Parsed, String> {
    let json = extract(text).ok_or("there is no JSON object in the answer")?;
    let answer: Answer =
        serde_json::from_str(json).map_err(|error| format!("the JSON cannot be read as a plan: {error}"))?;
    let mut repairs = Vec::new();
    let mut tasks: Vec<TaskSpec> = without_repetitions(answer.tasks, &mut repairs)
        .into_iter()
        .enumerate()
        .map(|(index, proposed)| convert(index + 1, proposed, commands, &mut repairs))
        .collect::<Result<_, _>>()?;
    files::order_by(&mut tasks, &mut repairs);
    match graph::validate(&tasks) {
        Ok(()) => Ok(Parsed { tasks, repairs }),
        Err(Error::InvalidPlan(defects)) => {
            let texts: Vec<String> = defects.iter().map(|d| format!("{}: {}", d.pointer, d.detail)).collect();
            Err(texts.join("; "))
        }
        Err(other) => Err(other.to_string()),
    }
}

/// The outermost JSON object in a text that may have prose or a code fence around it.
fn extract(text: &str) -> Option<&str> {
    let start = text.find('{')?;
    let end = text.rfind('}')?;
    (end > start).then(|| &text[start..=end])
}

/// Drops tasks that say word for word what an earlier one says, and lets others depend on that one instead.
fn without_repetitions(proposed: Vec<Proposed>, repairs: &mut Vec<String>) -> Vec<Proposed> {
    let mut kept: Vec<Proposed> = Vec::new();
    let mut new_position: BTreeMap<u64, u64> = BTreeMap::new();
    for (old, task) in (1..).zip(proposed) {
        let same =
            |earlier: &Proposed| earlier.description.trim().eq_ignore_ascii_case(task.description.trim());
        if let Some(index) = kept.iter().position(same) {
            new_position.insert(old, index as u64 + 1);
            repairs.push(format!("task {old} said the same as task {}", index + 1));
        } else {
            kept.push(task);
            new_position.insert(old, kept.len() as u64);
        }
    }
    for task in &mut kept {
        for edge in &mut task.depends_on {
            if let Some(position) = number(edge).and_then(|old| new_position.get(&old)) {
                *edge = Value::from(*position);
            }
        }
    }
    kept
}

fn number(edge: &Value) -> Option<u64> {
    edge.as_u64().or_else(|| edge.as_str().and_then(|text| text.trim().parse().ok()))
}

fn convert(
    position: usize,
    proposed: Proposed,
    commands: &[Vec<String>],
    repairs: &mut Vec<String>,
) -> Result<TaskSpec, String> {
    let depends_on = earlier_only(position, &proposed.depends_on, repairs);
    let known = |line: Option<CommandLine>| line.and_then(|line| find_command(&line, commands));
    let kind = match proposed.kind.as_deref().unwrap_or("agent") {
        "scan" => TaskKind::Scan,
        "command" => match known(proposed.command) {
            Some(argv) => TaskKind::Command {
                command: CommandLine::Argv(argv),
                env: BTreeMap::new(),
                working_directory: None,
            },
            None => {
                repairs.push(format!("task {position} named no known command, so it became agent work"));
                TaskKind::Agent { verify: None }
            }
        },
        "agent" => TaskKind::Agent { verify: known(proposed.verify).map(CommandLine::Argv) },
        other => {
            return Err(format!(
                "task {position} has the unknown kind {other:?}; use agent, scan or command"
            ));
        }
    };
    let is_command = matches!(kind, TaskKind::Command { .. });
    let mut task = TaskSpec::new(proposed.description.trim(), kind);
    task.depends_on = depends_on;
    task.reads = files::paths(position, &proposed.reads, repairs);
    task.writes = files::paths(position, &proposed.writes, repairs);
    // Only commands that build or test reach this point, and those may run again after a crash.
    task.effect = is_command.then_some(EffectClass::Idempotent);
    task.priority = match proposed.priority.as_deref() {
        Some("high") => Priority::High,
        Some("low") => Priority::Low,
        _ => Priority::Medium,
    };
    Ok(task)
}

/// Keeps edges to earlier tasks; drops the rest, which no order of execution could satisfy.
fn earlier_only(position: usize, proposed: &[Value], repairs: &mut Vec<String>) -> Vec<u32> {
    let mut kept = BTreeSet::new();
    for value in proposed {
        match number(value).and_then(|number| u32::try_from(number).ok()) {
            Some(number) if number >= 1 && (number as usize) < position => {
                kept.insert(number);
            }
            _ => repairs.push(format!("task {position} depended on {value}, which is no earlier task")),
        }
    }
    kept.into_iter().collect()
}

fn find_command(line: &CommandLine, commands: &[Vec<String>]) -> Option<Vec<String>> {
    let wanted = line.to_string();
    commands.iter().find(|argv| argv.join(" ") == wanted.trim()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pytest() -> Vec<Vec<String>> {
        vec![vec!["python3".into(), "-m".into(), "pytest".into()]]
    }

    #[test]
    fn prose_and_fences_around_the_plan_are_tolerated() {
        let text = "Here you go:\n```json\n{\"tasks\":[{\"description\":\"Look around\",\"kind\":\"scan\",\"priority\":\"high\",\"depends_on\":[]}]}\n```";
        assert_eq!(parse(text, &[]).unwrap().tasks[0].kind, TaskKind::Scan);
    }

    #[test]
    fn edges_to_itself_to_later_and_to_missing_tasks_are_dropped_and_reported() {
        let text = r#"{"tasks":[{"description":"first one","depends_on":[1,2]},{"description":"second one","depends_on":["1",9]}]}"#;
        let parsed = parse(text, &[]).unwrap();
        assert_eq!(parsed.tasks[0].depends_on, Vec::<u32>::new());
        assert_eq!(parsed.tasks[1].depends_on, [1]);
        assert_eq!(parsed.repairs.len(), 3);
    }

    #[test]
    fn a_task_said_twice_is_kept_once_and_still_waited_for() {
        let text = r#"{"tasks":[{"description":"Add the model"},{"description":"add the model "},{"description":"Test it","depends_on":[2]}]}"#;
        let parsed = parse(text, &[]).unwrap();
        assert_eq!(parsed.tasks.len(), 2);
        assert_eq!(parsed.tasks[1].depends_on, [1]);
    }

    #[test]
    fn only_commands_that_the_manifests_name_are_run() {
        let text = r#"{"tasks":[{"description":"run the tests","kind":"command","command":"python3 -m pytest"},{"description":"wipe it","kind":"command","command":"rm -rf /"}]}"#;
        let parsed = parse(text, &pytest()).unwrap();
        assert!(
            matches!(&parsed.tasks[0].kind, TaskKind::Command { command: CommandLine::Argv(argv), .. } if argv == &pytest()[0])
        );
        assert_eq!(parsed.tasks[1].kind, TaskKind::Agent { verify: None });
    }

    #[test]
    fn who_needs_what_another_writes_waits_for_it() {
        let text = r#"{"tasks":[
            {"description":"write it","writes":["src/parser.py"]},
            {"description":"use it","reads":["./src/parser.py"]},
            {"description":"mend it too","writes":["src"]},
            {"description":"read the manual","reads":["docs/"]},
            {"description":"test it","reads":["src/parser.py"],"depends_on":[3]}]}"#;
        let parsed = parse(text, &[]).unwrap();
        let edges: Vec<&[u32]> = parsed.tasks.iter().map(|task| task.depends_on.as_slice()).collect();
        assert_eq!(edges, [&[] as &[u32], &[1], &[2], &[], &[3]], "{:?}", parsed.repairs);
        assert!(
            parsed.repairs.iter().any(|repair| repair.contains("task 2") && repair.contains("src/parser.py"))
        );
    }

    #[test]
    fn files_outside_the_repository_are_left_out_and_reported() {
        let text = r#"{"tasks":[{"description":"read it","reads":["/etc/passwd","../x","ok.txt",7]}]}"#;
        let parsed = parse(text, &[]).unwrap();
        assert_eq!((parsed.tasks[0].reads.as_slice(), parsed.repairs.len()), (&["ok.txt".to_owned()][..], 3));
    }

    #[test]
    fn what_is_no_plan_is_refused_in_words() {
        assert!(parse("I cannot do that.", &[]).unwrap_err().contains("no JSON"));
        assert!(parse("{\"tasks\":[]}", &[]).unwrap_err().contains("at least one task"));
    }
}
