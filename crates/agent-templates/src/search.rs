//! Finds templates by words, and says which fits best.

use crate::template::Template;
use std::collections::BTreeSet;

const WHOLE_NAME: u32 = 10_000;
const IN_NAME: u32 = 1_000;
const WHOLE_TAG: u32 = 300;
const IN_TAG: u32 = 100;
const IN_DESCRIPTION: u32 = 10;
const IN_TASKS: u32 = 1;

/// A template that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit<'a> {
    /// The template.
    pub template: &'a Template,
    /// How well it fits; only good for comparing hits of one search.
    pub score: u32,
}

/// The searched text of each template, in lower case, in the order of the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    names: [String; 2],
    tags: Vec<String>,
    description: String,
    tasks: String,
}

impl Index {
    pub(crate) fn of(templates: &[Template]) -> Self {
        Self { entries: templates.iter().map(Entry::of).collect() }
    }

    /// The score of each template, `None` where a word does not occur.
    pub(crate) fn scores(&self, query: &str) -> Vec<Option<u32>> {
        let query = query.to_lowercase();
        let query = query.trim();
        let words: BTreeSet<&str> = query.split_whitespace().collect();
        self.entries.iter().map(|entry| entry.score(query, &words)).collect()
    }
}

impl Entry {
    fn of(template: &Template) -> Self {
        let tasks = template.tasks.iter().map(|task| format!("{}: {}\n", task.phase, task.description));
        Self {
            names: [template.id.to_lowercase(), template.name.to_lowercase()],
            tags: template.tags.iter().map(|tag| tag.to_lowercase()).collect(),
            description: template.description.to_lowercase(),
            tasks: tasks.collect::<String>().to_lowercase(),
        }
    }

    fn score(&self, query: &str, words: &BTreeSet<&str>) -> Option<u32> {
        if words.is_empty() {
            return None;
        }
        let mut total = 0;
        for word in words {
            total += self.best(word)?;
        }
        // The words side by side, as they were typed, say more than the same words apart.
        let together = if words.len() > 1 { self.best(query).unwrap_or(0) } else { 0 };
        Some(total + together)
    }

    fn best(&self, text: &str) -> Option<u32> {
        if self.names.iter().any(|name| name == text) {
            Some(WHOLE_NAME)
        } else if self.names.iter().any(|name| name.contains(text)) {
            Some(IN_NAME)
        } else if self.tags.iter().any(|tag| tag == text) {
            Some(WHOLE_TAG)
        } else if self.tags.iter().any(|tag| tag.contains(text)) {
            Some(IN_TAG)
        } else if self.description.contains(text) {
            Some(IN_DESCRIPTION)
        } else {
            self.tasks.contains(text).then_some(IN_TASKS)
        }
    }
}
