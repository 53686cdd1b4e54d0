//! What planned tasks say of files, and in which order that puts them.

use crate::plan::{TaskSpec, graph};
use crate::planner::prompt::MAX_PLANNED_PATHS;
use serde_json::Value;

/// The paths of a proposal that lie inside the repository, each written one way.
pub(super) fn paths(position: usize, proposed: &[Value], repairs: &mut Vec<String>) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for value in proposed {
        match value.as_str().and_then(inside) {
            Some(path) if !paths.contains(&path) && paths.len() < MAX_PLANNED_PATHS => paths.push(path),
            Some(_) => {}
            None => {
                repairs.push(format!("task {position} named {value}, which is no path inside the repository"))
            }
        }
    }
    paths
}

fn inside(path: &str) -> Option<String> {
    let path = path.trim();
    let leaves = path.starts_with(['/', '~']) || path.contains(['\0', '\\', ':']);
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!leaves && !parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

/// Makes each task wait for the earlier ones that write what it reads or writes: side by side, one would see the
/// other's work half done.
pub(super) fn order_by(tasks: &mut [TaskSpec], repairs: &mut Vec<String>) {
    for later in 1..tasks.len() {
        for earlier in (0..later).rev() {
            let (before, task) = (&tasks[earlier], &tasks[later]);
            let mut touched = task.reads.iter().chain(&task.writes);
            let shared = touched.find(|path| before.writes.iter().any(|written| overlap(written, path)));
            let also_read =
                || before.reads.iter().find(|path| task.writes.iter().any(|written| overlap(written, path)));
            let Some(path) = shared.or_else(also_read).cloned() else { continue };
            let position = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
            let edges =
                |at: u32| tasks.get(at as usize - 1).map(|task| task.depends_on.clone()).unwrap_or_default();
            if graph::ancestors(&edges, position(later)).contains(&position(earlier)) {
                continue;
            }
            repairs.push(format!("task {} waits for task {} because of {path}", later + 1, earlier + 1));
            let edges = &mut tasks[later].depends_on;
            edges.push(position(earlier));
            edges.sort_unstable();
        }
    }
}

/// Whether one path is the other, or lies below it.
fn overlap(one: &str, other: &str) -> bool {
    let below = |path: &str, folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    below(one, other) || below(other, one)
}
