//! All templates at hand.

use crate::error::{Error, Result};
use crate::search::{Hit, Index};
use crate::template::{Difficulty, Template};
use std::collections::BTreeSet;

/// The templates that come with the crate, in the order in which they are listed.
const BUILTIN: [&str; 12] = [
    include_str!("builtin/rest_api.toml"),
    include_str!("builtin/web_scraper.toml"),
    include_str!("builtin/machine_learning.toml"),
    include_str!("builtin/react_app.toml"),
    include_str!("builtin/ci_cd_pipeline.toml"),
    include_str!("builtin/mobile_app.toml"),
    include_str!("builtin/database_design.toml"),
    include_str!("builtin/documentation.toml"),
    include_str!("builtin/add_endpoint.toml"),
    include_str!("builtin/fix_failing_test.toml"),
    include_str!("builtin/upgrade_dependency.toml"),
    include_str!("builtin/review_diff.toml"),
];

/// Which templates to list; what is not said matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only of this difficulty.
    pub difficulty: Option<Difficulty>,
    /// Only with this tag, in whatever case.
    pub tag: Option<String>,
}

/// Templates by id, in a fixed order.
#[derive(Debug, Clone)]
pub struct Catalogue {
    templates: Vec<Template>,
    index: Index,
}

impl Catalogue {
    /// The templates that come with this crate. Reads and checks them, so make one and keep it.
    #[expect(clippy::expect_used, reason = "the texts are compiled in, and a test reads every one of them")]
    pub fn builtin() -> Self {
        let templates: Result<Vec<Template>> = BUILTIN.into_iter().map(Template::from_toml).collect();
        templates.and_then(Self::new).expect("the built-in templates are sound")
    }

    /// A catalogue of these templates, to be listed in this order.
    ///
    /// # Errors
    /// [`Error::DuplicateId`] when two have the same id.
    pub fn new(templates: Vec<Template>) -> Result<Self> {
        let mut seen = BTreeSet::new();
        if let Some(again) = templates.iter().find(|template| !seen.insert(&template.id)) {
            return Err(Error::DuplicateId(again.id.clone()));
        }
        let index = Index::of(&templates);
        Ok(Self { templates, index })
    }

    /// This catalogue with more templates behind its own, such as those of a user.
    ///
    /// # Errors
    /// [`Error::DuplicateId`] when an id is taken already.
    pub fn with(&self, more: Vec<Template>) -> Result<Self> {
        Self::new(self.templates.iter().cloned().chain(more).collect())
    }

    /// The templates that match, in the catalogue's order.
    pub fn list(&self, filter: &Filter) -> Vec<&Template> {
        let tag = filter.tag.as_ref().map(|tag| tag.to_lowercase());
        let matches = |template: &&Template| {
            filter.difficulty.is_none_or(|difficulty| template.difficulty == difficulty)
                && tag.as_ref().is_none_or(|tag| template.tags.iter().any(|own| own.to_lowercase() == *tag))
        };
        self.templates.iter().filter(matches).collect()
    }

    /// The template of that id.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn find(&self, id: &str) -> Result<&Template> {
        let found = self.templates.iter().find(|template| template.id == id);
        found.ok_or_else(|| Error::not_found(id))
    }

    /// The templates in which every word of the query occurs, best first: in the id or name before tags
    /// before the description before the tasks. Words are taken literally, in whatever case; an empty
    /// query finds nothing.
    pub fn search(&self, query: &str) -> Vec<Hit<'_>> {
        let mut hits: Vec<Hit<'_>> = self
            .index
            .scores(query)
            .into_iter()
            .zip(&self.templates)
            .filter_map(|(score, template)| score.map(|score| Hit { template, score }))
            .collect();
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.score));
        hits
    }
}
