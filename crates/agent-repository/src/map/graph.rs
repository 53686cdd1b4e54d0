//! Which file uses what another file defines, and how much that says.

use std::collections::HashMap;

use super::focus::Focus;
use crate::scan::Outline;
use crate::symbols::hash;

/// A name that this many files define says nothing about where it is used.
const MAX_DEFINERS: usize = 24;

/// An arrow from a file to a file that defines a name it uses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrow {
    pub(super) to: usize,
    /// The name, by its number in [`Graph::names`].
    pub(super) name: usize,
    pub(super) weight: f64,
}

/// Files and the arrows between them.
#[derive(Debug)]
pub(super) struct Graph {
    /// For each file, where its arrows begin in `arrows`; one more says where the last ones end.
    starts: Vec<usize>,
    arrows: Vec<Arrow>,
    /// The number of each name, by its hash.
    names: HashMap<u64, usize>,
    /// For each name, how many files define it, and whether the focus names it.
    known: Vec<(usize, bool)>,
    /// For each file, the weight of all its arrows.
    totals: Vec<f64>,
    /// For each file, the part of the rank that it is given from outside.
    pub(super) focus: Vec<f64>,
}

/// A name and the files that define it.
struct Name {
    definers: Vec<usize>,
    weight: f64,
    mentioned: bool,
}

impl Graph {
    pub(super) fn new(outline: &Outline, focus: &Focus) -> Self {
        let (names, table) = collect_names(outline, focus);
        let mut starts = Vec::with_capacity(outline.files.len() + 1);
        let mut arrows = Vec::new();
        for (number, file) in outline.files.iter().enumerate() {
            starts.push(arrows.len());
            for (hash, count) in file.outline.references.entries() {
                let Some(&name) = names.get(hash) else { continue };
                let known = &table[name];
                // Twice the uses do not say twice as much.
                let weight = known.weight * f64::from(*count).sqrt() / known.definers.len() as f64;
                if weight == 0.0 {
                    continue;
                }
                for &to in known.definers.iter().filter(|to| **to != number) {
                    arrows.push(Arrow { to, name, weight });
                }
            }
        }
        starts.push(arrows.len());
        let focus = focus_of_files(outline, focus, &table);
        let known = table.iter().map(|name| (name.definers.len(), name.mentioned)).collect();
        let of_file = starts.windows(2).map(|ends| &arrows[ends[0]..ends[1]]);
        let totals = of_file.map(|arrows| arrows.iter().map(|arrow| arrow.weight).sum()).collect();
        Self { starts, arrows, names, known, totals, focus }
    }

    pub(super) fn arrows(&self, file: usize) -> &[Arrow] {
        &self.arrows[self.starts[file]..self.starts[file + 1]]
    }

    pub(super) fn n_files(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn name(&self, name: &str) -> Option<usize> {
        self.names.get(&hash(name.as_bytes())).copied()
    }

    /// The weight of all arrows of a file.
    pub(super) fn total(&self, file: usize) -> f64 {
        self.totals[file]
    }

    pub(super) fn n_definers(&self, name: usize) -> usize {
        self.known[name].0
    }

    /// Whether the focus names it.
    pub(super) fn is_mentioned(&self, name: usize) -> bool {
        self.known[name].1
    }

    pub(super) fn n_names(&self) -> usize {
        self.names.len()
    }
}

fn collect_names(outline: &Outline, focus: &Focus) -> (HashMap<u64, usize>, Vec<Name>) {
    let mentioned = focus.name_hashes();
    let mut names: HashMap<u64, usize> = HashMap::new();
    let mut table: Vec<Name> = Vec::new();
    for (number, file) in outline.files.iter().enumerate() {
        for definition in &file.outline.definitions {
            let hash = hash(definition.name.as_bytes());
            let place = *names.entry(hash).or_insert_with(|| {
                let mentioned = mentioned.binary_search(&hash).is_ok();
                let weight = weight(&definition.name, mentioned);
                table.push(Name { definers: Vec::new(), weight, mentioned });
                table.len() - 1
            });
            let definers = &mut table[place].definers;
            if definers.last() != Some(&number) {
                definers.push(number);
            }
        }
    }
    for name in table.iter_mut().filter(|name| name.definers.len() > MAX_DEFINERS) {
        name.weight = 0.0;
    }
    (names, table)
}

/// How much the use of a name says: long names made of several words say more, private ones less.
fn weight(name: &str, mentioned: bool) -> f64 {
    let several = name.contains('_') || name.chars().skip(1).any(char::is_uppercase);
    let mut weight = if name.len() >= 8 && several { 10.0 } else { 1.0 };
    if name.starts_with('_') {
        weight *= 0.1;
    }
    if name.len() < 3 {
        weight *= 0.1;
    }
    if mentioned { weight * 10.0 } else { weight }
}

/// Equal parts for all files, and far larger ones for those that the focus names or that define what it
/// names; together 1.
fn focus_of_files(outline: &Outline, focus: &Focus, table: &[Name]) -> Vec<f64> {
    let mut parts = vec![1.0; outline.files.len()];
    let large = outline.files.len() as f64;
    if !focus.files.is_empty() {
        for (part, file) in parts.iter_mut().zip(&outline.files) {
            if focus.names_file(&file.path) {
                *part += large;
            }
        }
    }
    for Name { definers, .. } in table.iter().filter(|name| name.mentioned) {
        for file in definers {
            parts[*file] += large / definers.len() as f64;
        }
    }
    let total: f64 = parts.iter().sum();
    parts.iter_mut().for_each(|part| *part /= total.max(1.0));
    parts
}
