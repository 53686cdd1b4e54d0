//! What makes a template sound.

use crate::parameters::is_name;
use crate::placeholder::{Piece, fill, pieces};
use crate::template::{MAX_DOCUMENT, NewTemplate, Template, TemplateTask, WorkKind};
use crate::text::{hidden_character, refusal};
use agent_core::error::{Defect, Error};
use agent_core::plan::{CommandLine, graph};
use serde_json::Map;
use std::collections::BTreeSet;

/// The most tasks a template may have.
const MAX_TASKS: usize = 200;

/// An id that the paths of the HTTP interface have taken.
const RESERVED: &str = "search";

/// Everything that is wrong with a template, each with a JSON pointer into it. A huge one is not looked into.
pub(crate) fn defects(template: &Template) -> Vec<Defect> {
    too_large(template).map_or_else(|| defects_inside(template), |defect| vec![defect])
}

fn too_large(template: &Template) -> Option<Defect> {
    let size = match serde_json::to_string(&NewTemplate::from(template)) {
        Ok(document) => document.len(),
        Err(error) => return Some(Defect::new("", format!("cannot be written as JSON: {error}"))),
    };
    let detail = || format!("{size} bytes of JSON; a template has at most {MAX_DOCUMENT}");
    (size > MAX_DOCUMENT).then(|| Defect::new("", detail()))
}

fn defects_inside(template: &Template) -> Vec<Defect> {
    let mut found = Vec::new();
    check_names(template, &mut found);
    check_parameters(template, &mut found);
    check_texts(template, &mut found);
    for task in &template.tasks {
        check_kind(task, &mut found);
    }
    if found.is_empty() {
        check_plan(template, &mut found);
    }
    if found.is_empty() {
        check_collisions(template, &mut found);
    }
    found
}

fn check_names(template: &Template, found: &mut Vec<Defect>) {
    if !is_name(&template.id) {
        let detail = "must be 1 to 64 of a-z, 0-9 and _, beginning with a letter";
        found.push(Defect::new("/id", detail));
    }
    if template.id == RESERVED {
        found.push(Defect::new("/id", "is taken by the search; choose another"));
    }
    if template.name.trim().is_empty() {
        found.push(Defect::new("/name", "must not be empty"));
    }
    if template.description.trim().is_empty() {
        found.push(Defect::new("/description", "must say what comes out of it"));
    }
    if template.goal.trim().is_empty() {
        found.push(Defect::new("/goal", "must say what plans made from it are to reach"));
    }
    if template.tasks.len() > MAX_TASKS {
        let detail = format!("{} tasks; a template holds at most {MAX_TASKS}", template.tasks.len());
        found.push(Defect::new("/tasks", detail));
    }
}

fn check_parameters(template: &Template, found: &mut Vec<Defect>) {
    let mut seen = BTreeSet::new();
    for (index, parameter) in template.parameters.iter().enumerate() {
        if !seen.insert(&parameter.name) {
            found.push(Defect::new(format!("/parameters/{index}/name"), "is used twice"));
        }
        parameter.defects(&mut |field, detail| {
            found.push(Defect::new(format!("/parameters/{index}/{field}"), detail));
        });
    }
}

/// Looks at every text: hidden characters everywhere, and placeholders where they are filled in.
fn check_texts(template: &Template, found: &mut Vec<Defect>) {
    let plain = [("/name", &template.name), ("/description", &template.description)];
    let tags = template.tags.iter().map(|tag| ("/tags", tag));
    for (pointer, text) in plain.into_iter().chain(tags) {
        if let Some(hidden) = hidden_character(text) {
            found.push(Defect::new(pointer, refusal(hidden)));
        }
    }
    let mut used = BTreeSet::new();
    for (pointer, text) in filled_texts(template) {
        if let Some(hidden) = hidden_character(text) {
            found.push(Defect::new(pointer.as_str(), refusal(hidden)));
        }
        for piece in pieces(text) {
            let Piece::Placeholder(name) = piece else { continue };
            if template.parameters.iter().any(|parameter| parameter.name == name) {
                used.insert(name);
            } else {
                let detail = format!("{{{{{name}}}}} names no parameter of this template");
                found.push(Defect::new(pointer.as_str(), detail));
            }
        }
    }
    for (index, parameter) in template.parameters.iter().enumerate() {
        if !used.contains(parameter.name.as_str()) {
            found.push(Defect::new(
                format!("/parameters/{index}"),
                "is used nowhere in the goal or the tasks",
            ));
        }
    }
}

fn filled_texts(template: &Template) -> Vec<(String, &str)> {
    let mut texts = vec![("/goal".to_owned(), template.goal.as_str())];
    for (index, task) in template.tasks.iter().enumerate() {
        let mut add = |field: &str, text| texts.push((format!("/tasks/{index}/{field}"), text));
        add("phase", &task.phase);
        add("description", &task.description);
        task.reads.iter().for_each(|path| add("reads", path));
        task.writes.iter().for_each(|path| add("writes", path));
        for (field, command) in [("verify", &task.verify), ("command", &task.command)] {
            match command {
                Some(CommandLine::Argv(argv)) => argv.iter().for_each(|argument| add(field, argument)),
                Some(CommandLine::Shell(line)) => add(field, line),
                None => {}
            }
        }
    }
    texts
}

fn check_kind(task: &TemplateTask, found: &mut Vec<Defect>) {
    let at = |field: &str| format!("/tasks/{}/{field}", task.id - 1);
    if task.phase.trim().is_empty() {
        found.push(Defect::new(at("phase"), "must name the stage of work"));
    }
    if task.description.trim().is_empty() {
        found.push(Defect::new(at("description"), "must say what is to be done"));
    }
    match (task.kind, &task.command) {
        (WorkKind::Command, None) => found.push(Defect::new(at("command"), "a command task needs one")),
        (WorkKind::Agent | WorkKind::Scan | WorkKind::Approval, Some(_)) => {
            found.push(Defect::new(at("command"), "is for command tasks; an agent task has `verify`"));
        }
        _ => {}
    }
    if task.verify.is_some() && task.kind != WorkKind::Agent {
        found.push(Defect::new(at("verify"), "is for agent tasks"));
    }
    for (field, paths) in [("reads", &task.reads), ("writes", &task.writes)] {
        for path in paths {
            if path.starts_with('/') || path.split('/').any(|part| part == "..") {
                found.push(Defect::new(at(field), format!("{path:?} must lie inside the repository")));
            }
        }
    }
}

/// Makes a plan with sample values and lets the domain judge it.
fn check_plan(template: &Template, found: &mut Vec<Defect>) {
    let samples: Map<_, _> = template.parameters.iter().map(|p| (p.name.clone(), p.sample())).collect();
    let plan = match template.render(&samples) {
        Ok(plan) => plan,
        Err(error) => return found.push(Defect::new("/parameters", error.to_string())),
    };
    match graph::validate(&plan.tasks) {
        Ok(()) => {}
        Err(Error::InvalidPlan(defects)) => found.extend(defects),
        Err(error) => found.push(Defect::new("/tasks", error.to_string())),
    }
}

/// What one task touches, and whom it waits for.
struct Footprint {
    id: u32,
    before: BTreeSet<u32>,
    reads: Vec<String>,
    writes: Vec<String>,
}

fn footprints(template: &Template) -> Vec<Footprint> {
    let tasks = &template.tasks;
    let depends_on = |position: u32| -> Vec<u32> {
        tasks.iter().find(|task| task.id == position).map_or_else(Vec::new, |task| task.depends_on.clone())
    };
    let sample = |name: &str| {
        let parameter = template.parameters.iter().find(|parameter| parameter.name == name);
        parameter.and_then(|parameter| parameter.sample().as_str().map(str::to_owned)).unwrap_or_default()
    };
    let filled = |paths: &[String]| paths.iter().map(|path| fill(path, &sample)).collect();
    let footprint = |task: &TemplateTask| Footprint {
        id: task.id,
        before: graph::ancestors(&depends_on, task.id),
        reads: filled(&task.reads),
        writes: filled(&task.writes),
    };
    tasks.iter().map(footprint).collect()
}

/// Two tasks that may run at the same time must not touch the same file, unless both only read it.
fn check_collisions(template: &Template, found: &mut Vec<Defect>) {
    let footprints = footprints(template);
    for (index, task) in footprints.iter().enumerate() {
        for other in footprints.iter().skip(index + 1) {
            if task.before.contains(&other.id) || other.before.contains(&task.id) {
                continue;
            }
            let shared = shared_path(&task.writes, &other.writes)
                .or_else(|| shared_path(&task.writes, &other.reads))
                .or_else(|| shared_path(&task.reads, &other.writes));
            if let Some(path) = shared {
                let detail =
                    format!("{path:?} is also touched by task {}; let one wait for the other", task.id);
                found.push(Defect::new(format!("/tasks/{}/depends_on", other.id - 1), detail));
            }
        }
    }
}

fn shared_path<'a>(left: &'a [String], right: &[String]) -> Option<&'a String> {
    left.iter().find(|l| right.iter().any(|r| overlaps(l, r)))
}

/// Whether two paths or patterns may mean the same file: one is, or lies below, the other. Of a pattern
/// only the part before its first wildcard counts, so that doubt means yes.
fn overlaps(left: &str, right: &str) -> bool {
    let (left, right) = (fixed(left), fixed(right));
    let below = |path: &Fixed<'_>, root: &Fixed<'_>| {
        path.text
            .strip_prefix(root.text)
            .is_some_and(|rest| root.open || rest.is_empty() || rest.starts_with('/') || root.text.is_empty())
    };
    below(&left, &right) || below(&right, &left)
}

struct Fixed<'a> {
    text: &'a str,
    /// Whether more follows that is not known.
    open: bool,
}

fn fixed(path: &str) -> Fixed<'_> {
    match path.find(['*', '?', '[', '{']) {
        Some(end) => Fixed { text: &path[..end], open: true },
        None => Fixed { text: path.trim_end_matches('/'), open: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_overlap_when_one_holds_the_other() {
        let cases = [
            ("src/a.rs", "src/a.rs", true),
            ("src", "src/a.rs", true),
            ("src/", "src/deep/a.rs", true),
            ("src/**", "src/a.rs", true),
            ("tests/*.py", "tests", true),
            ("src/a.rs", "src/b.rs", false),
            ("src", "src2/a.rs", false),
            ("src/model*", "src/route.rs", false),
        ];
        for (left, right, expected) in cases {
            assert_eq!(overlaps(left, right), expected, "{left} {right}");
            assert_eq!(overlaps(right, left), expected, "{right} {left}");
        }
    }
}
