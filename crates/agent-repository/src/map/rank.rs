//! Ranks files and definitions.

use super::graph::Graph;
use crate::scan::Outline;
use crate::symbols::SymbolKind;

/// The part of a rank that flows on; the rest comes from the focus.
const DAMPING: f64 = 0.85;
/// Ranks settle to a few digits in these rounds, which is all that an order needs.
const ROUNDS: usize = 30;
/// Ranks that change less than this in a round have settled.
const SETTLED: f64 = 1e-7;

/// A definition and what it is worth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    /// The file, by its number in the outline.
    pub(super) file: usize,
    /// The definition, by its number in the file.
    pub(super) definition: usize,
    pub(super) rank: f64,
}

/// All definitions, best first.
pub(super) fn definitions(outline: &Outline, graph: &Graph) -> Vec<Ranked> {
    let files = rank_files(graph);
    let parts = rank_names(graph, &files);
    let mut ranked = Vec::with_capacity(outline.n_definitions());
    for (number, file) in outline.files.iter().enumerate() {
        // Where nobody uses a definition, the rank of its file still tells it from others.
        let own = files[number] / (1 + file.outline.definitions.len()) as f64;
        for (place, definition) in file.outline.definitions.iter().enumerate() {
            let name = graph.name(&definition.name);
            let used = name.map_or(0.0, |name| parts.of(number, name));
            // What the goal names stands for its whole file, shared among all that bear the name.
            let mentioned = name.filter(|name| graph.is_mentioned(*name));
            let named = mentioned.map_or(0.0, |name| files[number] / graph.n_definers(name) as f64);
            let rank = (used + own * 0.1) * worth(definition.kind) + named;
            ranked.push(Ranked { file: number, definition: place, rank });
        }
    }
    // Files are in the order of paths: equal ranks keep that order.
    ranked.sort_by(|a, b| b.rank.total_cmp(&a.rank));
    ranked
}

/// Constants and variables tell a reader less than types and functions.
fn worth(kind: SymbolKind) -> f64 {
    match kind {
        SymbolKind::Constant | SymbolKind::Variable | SymbolKind::Macro => 0.5,
        _ => 1.0,
    }
}

fn rank_files(graph: &Graph) -> Vec<f64> {
    let n_files = graph.n_files();
    let mut ranks = graph.focus.clone();
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; n_files];
        let mut lost = 0.0;
        for (file, rank) in ranks.iter().enumerate() {
            if graph.total(file) == 0.0 {
                lost += rank;
                continue;
            }
            let share = rank / graph.total(file);
            for arrow in graph.arrows(file) {
                next[arrow.to] += share * arrow.weight;
            }
        }
        let mut change = 0.0;
        for ((new, old), focus) in next.iter_mut().zip(&ranks).zip(&graph.focus) {
            // What a file without arrows holds goes back to where ranks come from.
            *new = DAMPING * (*new + lost * focus) + (1.0 - DAMPING) * focus;
            change += (*new - old).abs();
        }
        ranks = next;
        if change < SETTLED {
            break;
        }
    }
    ranks
}

/// What each name takes of the ranks of the files that use it.
struct Parts {
    /// File and name, in order.
    keys: Vec<(usize, usize)>,
    values: Vec<f64>,
}

impl Parts {
    fn of(&self, file: usize, name: usize) -> f64 {
        self.keys.binary_search(&(file, name)).map_or(0.0, |place| self.values[place])
    }
}

fn rank_names(graph: &Graph, ranks: &[f64]) -> Parts {
    let mut flows: Vec<(usize, usize, f64)> = Vec::new();
    for (file, rank) in ranks.iter().enumerate() {
        let (arrows, total) = (graph.arrows(file), graph.total(file));
        flows.extend(arrows.iter().map(|arrow| (arrow.to, arrow.name, rank * arrow.weight / total)));
    }
    // Stable, so that sums are made in one order.
    flows.sort_by_key(|(file, name, _)| (*file, *name));
    let mut parts = Parts { keys: Vec::new(), values: Vec::with_capacity(graph.n_names()) };
    for (file, name, flow) in flows {
        match parts.values.last_mut() {
            Some(value) if parts.keys.last() == Some(&(file, name)) => *value += flow,
            _ => {
                parts.keys.push((file, name));
                parts.values.push(flow);
            }
        }
    }
    parts
}
