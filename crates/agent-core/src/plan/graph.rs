//! The dependency graph of a plan: what makes it valid, and who comes before whom.

use super::spec::{CommandLine, TaskKind, TaskSpec};
use crate::error::{Defect, Error, Result};
use crate::tool::EffectClass;
use std::collections::BTreeSet;

/// The most tasks one plan may have.
pub const MAX_TASKS: usize = 10_000;
/// The longest description or goal, in bytes.
pub const MAX_TEXT: usize = 32 * 1024;
/// The longest timeout, in milliseconds: one day.
pub const MAX_TIMEOUT_MS: u64 = 24 * 60 * 60 * 1_000;
/// The most files and folders that a task may name as read, and as written.
pub const MAX_PATHS: usize = 100;
/// The most attempts a task may have.
pub const MAX_ATTEMPTS: u32 = 100;

/// Checks everything about tasks that can be known without looking at a repository.
///
/// # Errors
/// [`Error::InvalidPlan`] with every defect found, each with a JSON pointer.
pub fn validate(tasks: &[TaskSpec]) -> Result<()> {
    let mut defects = Vec::new();
    if tasks.is_empty() {
        defects.push(Defect::new("/tasks", "a plan needs at least one task"));
    }
    if tasks.len() > MAX_TASKS {
        let detail = format!("{} tasks; a plan holds at most {MAX_TASKS}", tasks.len());
        return Err(Error::InvalidPlan(vec![Defect::new("/tasks", detail)]));
    }
    for (index, task) in tasks.iter().enumerate() {
        check_task(index, task, tasks.len(), &mut defects);
    }
    if defects.is_empty()
        && let Some(cycle) = find_cycle(tasks)
    {
        let path: Vec<String> = cycle.iter().map(u32::to_string).collect();
        let pointer = format!("/tasks/{}/depends_on", cycle.first().map_or(0, |first| first - 1));
        defects.push(Defect::new(pointer, format!("the tasks wait for each other: {}", path.join(" -> "))));
    }
    if defects.is_empty() { Ok(()) } else { Err(Error::InvalidPlan(defects)) }
}

fn check_task(index: usize, task: &TaskSpec, count: usize, defects: &mut Vec<Defect>) {
    let at = |field: &str| format!("/tasks/{index}/{field}");
    if task.description.trim().is_empty() {
        defects.push(Defect::new(at("description"), "must say what is to be done"));
    }
    if task.description.len() > MAX_TEXT {
        defects.push(Defect::new(at("description"), format!("longer than {MAX_TEXT} bytes")));
    }
    if task.description.contains('\0') {
        defects.push(Defect::new(at("description"), "may hold no NUL"));
    }
    let mut seen = BTreeSet::new();
    for &dependency in &task.depends_on {
        if dependency == 0 || usize::try_from(dependency).map_or(true, |d| d > count) {
            let detail = format!("{dependency} is no position; positions go from 1 to {count}");
            defects.push(Defect::new(at("depends_on"), detail));
        } else if usize::try_from(dependency) == Ok(index + 1) {
            defects.push(Defect::new(at("depends_on"), format!("task {dependency} depends on itself")));
        } else if !seen.insert(dependency) {
            defects.push(Defect::new(at("depends_on"), format!("{dependency} is named twice")));
        }
    }
    if task.retry.max_attempts == 0 || task.retry.max_attempts > MAX_ATTEMPTS {
        defects.push(Defect::new(at("retry/max_attempts"), format!("must be 1 to {MAX_ATTEMPTS}")));
    }
    if task.retry.backoff_ms > MAX_TIMEOUT_MS || task.retry.max_backoff_ms > MAX_TIMEOUT_MS {
        defects.push(Defect::new(at("retry"), format!("a pause is at most {MAX_TIMEOUT_MS} ms")));
    }
    if task.timeout_ms.is_some_and(|ms| ms == 0 || ms > MAX_TIMEOUT_MS) {
        defects.push(Defect::new(at("timeout_ms"), format!("must be 1 to {MAX_TIMEOUT_MS}")));
    }
    let may_compensate = matches!(task.kind, TaskKind::Patch { .. } | TaskKind::Tool { .. });
    if task.effect == Some(EffectClass::Compensatable) && !may_compensate {
        defects
            .push(Defect::new(at("effect"), "compensatable is for patches; use pure, idempotent or opaque"));
    }
    for (field, paths) in [("reads", &task.reads), ("writes", &task.writes)] {
        if paths.len() > MAX_PATHS {
            defects.push(Defect::new(at(field), format!("at most {MAX_PATHS} paths")));
        }
        if paths.iter().any(|path| path.trim().is_empty() || leaves_root(path)) {
            defects.push(Defect::new(at(field), "must be relative paths inside the repository"));
        }
    }
    check_kind(&task.kind, &at, defects);
}

fn check_kind(kind: &TaskKind, at: &dyn Fn(&str) -> String, defects: &mut Vec<Defect>) {
    match kind {
        TaskKind::Command { command, env, working_directory } => {
            check_command(command, &at("command"), defects);
            if env.iter().any(|(k, v)| k.is_empty() || k.contains(['=', '\0']) || v.contains('\0')) {
                let detail = "names must be non-empty and hold no `=`; nothing may hold NUL";
                defects.push(Defect::new(at("env"), detail));
            }
            if working_directory.as_deref().is_some_and(leaves_root) {
                let detail = "must be a relative path inside the repository";
                defects.push(Defect::new(at("working_directory"), detail));
            }
        }
        TaskKind::Agent { verify: Some(verify) } => check_command(verify, &at("verify"), defects),
        TaskKind::Patch { patch } if patch.trim().is_empty() => {
            defects.push(Defect::new(at("patch"), "is empty"));
        }
        TaskKind::Patch { patch } if patch.contains('\0') => {
            defects.push(Defect::new(at("patch"), "may hold no NUL; patches are text"));
        }
        TaskKind::Tool { tool, .. } if tool.trim().is_empty() => {
            defects.push(Defect::new(at("tool"), "must name a tool"));
        }
        TaskKind::Agent { verify: None }
        | TaskKind::Patch { .. }
        | TaskKind::Scan
        | TaskKind::Approval
        | TaskKind::Tool { .. } => {}
    }
}

fn check_command(command: &CommandLine, pointer: &str, defects: &mut Vec<Defect>) {
    let argv = command.argv();
    let empty = match command {
        CommandLine::Argv(argv) => argv.first().is_none_or(|program| program.trim().is_empty()),
        CommandLine::Shell(line) => line.trim().is_empty(),
    };
    if empty {
        defects.push(Defect::new(pointer, "must name a program"));
    }
    if argv.iter().any(|argument| argument.contains('\0')) {
        defects.push(Defect::new(pointer, "may hold no NUL"));
    }
}

fn leaves_root(path: &str) -> bool {
    path.starts_with('/') || path.contains('\0') || path.split('/').any(|part| part == "..")
}

/// A cycle as positions, first and last the same, or `None`. Iterative, so that depth is no danger.
pub fn find_cycle(tasks: &[TaskSpec]) -> Option<Vec<u32>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Closed,
    }
    let mut marks = vec![Mark::New; tasks.len()];
    for start in 0..tasks.len() {
        if marks[start] != Mark::New {
            continue;
        }
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        marks[start] = Mark::Open;
        while let Some((node, edge)) = path.last_mut() {
            let Some(&dependency) = tasks[*node].depends_on.get(*edge) else {
                marks[*node] = Mark::Closed;
                path.pop();
                continue;
            };
            *edge += 1;
            let next = index_of(dependency);
            match marks.get(next) {
                Some(Mark::New) => {
                    marks[next] = Mark::Open;
                    path.push((next, 0));
                }
                Some(Mark::Open) => return Some(cycle_of(&path, next)),
                Some(Mark::Closed) | None => {}
            }
        }
    }
    None
}

fn cycle_of(path: &[(usize, usize)], closing: usize) -> Vec<u32> {
    let mut cycle: Vec<u32> =
        path.iter().map(|(node, _)| *node).skip_while(|node| *node != closing).map(position_of).collect();
    cycle.push(position_of(closing));
    cycle
}

/// All positions that must be completed before the given one can start.
pub fn ancestors(depends_on: &dyn Fn(u32) -> Vec<u32>, position: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut open = depends_on(position);
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(depends_on(next));
        }
    }
    found
}

/// All positions that come after one of the given ones, directly or through others.
///
/// `depends_on` yields the dependencies of each task, by position. Linear in tasks and edges.
pub fn descendants<'a>(depends_on: impl Iterator<Item = &'a [u32]>, of: &[u32]) -> BTreeSet<u32> {
    let mut followers: Vec<Vec<u32>> = Vec::new();
    for (position, dependencies) in (1_u32..).zip(depends_on) {
        for &dependency in dependencies {
            let index = index_of(dependency);
            if followers.len() <= index {
                followers.resize_with(index + 1, Vec::new);
            }
            followers[index].push(position);
        }
    }
    let mut found = BTreeSet::new();
    let mut open = of.to_vec();
    while let Some(next) = open.pop() {
        for &follower in followers.get(index_of(next)).into_iter().flatten() {
            if found.insert(follower) {
                open.push(follower);
            }
        }
    }
    found
}

fn index_of(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX).wrapping_sub(1)
}

fn position_of(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(depends_on: &[u32]) -> TaskSpec {
        TaskSpec::new("work", TaskKind::Scan).after(depends_on)
    }

    #[test]
    fn a_cycle_is_refused_and_named() {
        let error = validate(&[task(&[3]), task(&[1]), task(&[2])]).unwrap_err().to_string();
        assert!(error.contains("1 -> 3 -> 2 -> 1"), "{error}");
    }

    #[test]
    fn a_chain_of_ten_thousand_is_fine() {
        let tasks: Vec<TaskSpec> =
            (0..10_000_u32).map(|i| if i == 0 { task(&[]) } else { task(&[i]) }).collect();
        assert!(validate(&tasks).is_ok());
    }

    #[test]
    fn every_defect_is_reported_with_its_place() {
        let mut bad = task(&[0, 9]);
        bad.description = " ".into();
        bad.timeout_ms = Some(0);
        let Err(Error::InvalidPlan(defects)) = validate(&[bad]) else { panic!("accepted") };
        let pointers: Vec<&str> = defects.iter().map(|d| d.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            ["/tasks/0/description", "/tasks/0/depends_on", "/tasks/0/depends_on", "/tasks/0/timeout_ms"]
        );
    }
}
