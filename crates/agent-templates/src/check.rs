//! What makes a template sound.

use crate::collisions;
use crate::parameters::is_name;
use crate::placeholder::{Piece, pieces};
use crate::render::{MAX_PATH, RenderedPlan};
use crate::template::{MAX_DOCUMENT, NewTemplate, Template, TemplateTask, WorkKind};
use crate::text::{hidden_character, refusal, shortened};
use agent_core::error::{Defect, Error};
use agent_core::plan::graph::MAX_PATHS;
use agent_core::plan::{CommandLine, graph};
use serde_json::Map;
use std::collections::BTreeSet;

/// The most tasks a template may have.
const MAX_TASKS: usize = 200;

/// The most `reads` and `writes` of all tasks together: each is compared with all others.
const MAX_ALL_PATHS: usize = 1_000;

/// The most defects that are told of one template.
const MAX_DEFECTS: usize = 100;

/// An id that the paths of the HTTP interface have taken.
const RESERVED: &str = "search";

/// The defects found, of which only the first hundred are kept.
#[derive(Default)]
pub(crate) struct Found(Vec<Defect>);

impl Found {
    pub(crate) fn push(&mut self, defect: Defect) {
        if !self.is_full() {
            self.0.push(defect);
        }
    }

    /// Whether looking for more is in vain.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= MAX_DEFECTS
    }
}

/// What is wrong with a template, each with a JSON pointer into it, up to a hundred. A huge one is not looked into.
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
    let mut found = Found::default();
    check_names(template, &mut found);
    check_parameters(template, &mut found);
    check_texts(template, &mut found);
    for task in &template.tasks {
        check_kind(task, &mut found);
    }
    check_number_of_paths(template, &mut found);
    // What comes next looks at everything together, for which the parts must be sound.
    let plan = if found.0.is_empty() { checked_plan(template, &mut found) } else { None };
    if let Some(plan) = plan {
        collisions::check(&plan.tasks, &mut found);
    }
    found.0
}

fn check_names(template: &Template, found: &mut Found) {
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

fn check_parameters(template: &Template, found: &mut Found) {
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
fn check_texts(template: &Template, found: &mut Found) {
    let plain = [("/name", &template.name), ("/description", &template.description)];
    let tags = template.tags.iter().map(|tag| ("/tags", tag));
    for (pointer, text) in plain.into_iter().chain(tags) {
        if let Some(hidden) = hidden_character(text) {
            found.push(Defect::new(pointer, refusal(hidden)));
        }
    }
    let known: BTreeSet<&str> = template.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let mut used = BTreeSet::new();
    for (pointer, text) in filled_texts(template) {
        if let Some(hidden) = hidden_character(text) {
            found.push(Defect::new(pointer.as_str(), refusal(hidden)));
        }
        for piece in pieces(text) {
            let Piece::Placeholder(name) = piece else { continue };
            if known.contains(name) {
                used.insert(name);
            } else {
                let detail = format!("{{{{{}}}}} names no parameter of this template", shortened(name));
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

fn check_kind(task: &TemplateTask, found: &mut Found) {
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
        if paths.len() > MAX_PATHS {
            found.push(Defect::new(at(field), format!("at most {MAX_PATHS} paths")));
        }
        for path in paths {
            if path.len() > MAX_PATH {
                let detail =
                    format!("{:?} is {} bytes long; at most {MAX_PATH}", shortened(path), path.len());
                found.push(Defect::new(at(field), detail));
            }
            if path.starts_with('/') || path.split('/').any(|part| part == "..") {
                found.push(Defect::new(
                    at(field),
                    format!("{:?} must lie inside the repository", shortened(path)),
                ));
            }
        }
    }
}

fn check_number_of_paths(template: &Template, found: &mut Found) {
    let all: usize = template.tasks.iter().map(|task| task.reads.len() + task.writes.len()).sum();
    if all > MAX_ALL_PATHS {
        let detail = format!("{all} paths in `reads` and `writes`; a template has at most {MAX_ALL_PATHS}");
        found.push(Defect::new("/tasks", detail));
    }
}

/// Makes a plan with sample values and lets the domain judge it; `None` where it finds a defect.
fn checked_plan(template: &Template, found: &mut Found) -> Option<RenderedPlan> {
    let samples: Map<_, _> = template.parameters.iter().map(|p| (p.name.clone(), p.sample())).collect();
    let plan = match template.render(&samples) {
        Ok(plan) => plan,
        Err(error) => {
            found.push(Defect::new("/parameters", error.to_string()));
            return None;
        }
    };
    match graph::validate(&plan.tasks) {
        Ok(()) => return Some(plan),
        Err(Error::InvalidPlan(defects)) => defects.into_iter().for_each(|defect| found.push(defect)),
        Err(error) => found.push(Defect::new("/tasks", error.to_string())),
    }
    None
}
