//! What models are told about a repository before they plan or work in it.

use crate::repositories::blocking;
use crate::scan_caches::ScanCaches;
use agent_core::error::{Error, Result};
use agent_core::ports::{Guidance, Redactor, Survey, Surveyor};
use agent_repository::map::{Focus, RepositoryMap};
use agent_repository::path_guard::{RelativePath, Root};
use agent_repository::scan::{self, Cache, Outline, ScanOptions, ScanReport};
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;

/// The most lines of a directory tree that a model is shown.
const TREE_LINES: usize = 30;
/// The most commands that it is told of.
const MOST_COMMANDS: usize = 8;
/// Files in which repositories tell those who work on them how; the first that is there is read.
const GUIDANCE: [&str; 3] = ["AGENTS.md", "CLAUDE.md", ".github/copilot-instructions.md"];
/// How much of it a model is shown, in bytes.
const LONGEST_GUIDANCE: usize = 8 * 1024;
/// The largest such file that is opened, in bytes.
const LARGEST_GUIDANCE: u64 = 1 << 20;

/// Surveys folders; what scans learn of them is kept, so that the next task of a plan does not read everything again.
pub(crate) struct CachedSurveys {
    pub(crate) caches: Arc<ScanCaches>,
    pub(crate) redactor: Arc<dyn Redactor>,
}

#[async_trait]
impl Surveyor for CachedSurveys {
    async fn survey(&self, folder: &Path, goal: &str, map_tokens: usize) -> Result<Survey> {
        let (folder, goal) = (folder.to_path_buf(), goal.to_owned());
        let cache = self.caches.of(&folder);
        let surveyed = blocking(move || survey(&folder, &goal, map_tokens, &cache)).await?;
        Ok(masked(surveyed, self.redactor.as_ref()))
    }
}

fn survey(folder: &Path, goal: &str, map_tokens: usize, cache: &Cache) -> Result<Survey> {
    let options = ScanOptions { cache: Some(cache), ..ScanOptions::default() };
    let (report, outline) = scan::survey(folder, &options).map_err(|error| Error::RepositoryRefused {
        path: folder.display().to_string(),
        reason: error.to_string(),
    })?;
    Ok(Survey {
        description: describe(&report),
        map: map(&outline, goal, map_tokens),
        guidance: guidance(folder).into_iter().collect(),
        commands: commands(&report),
    })
}

/// What a model is told of a repository holds no secret.
fn masked(survey: Survey, redactor: &dyn Redactor) -> Survey {
    let mask = |text: String| redactor.redact(&text).into_owned();
    let guidance = survey.guidance.into_iter();
    Survey {
        description: mask(survey.description),
        map: mask(survey.map),
        guidance: guidance.map(|file| Guidance { text: mask(file.text), ..file }).collect(),
        commands: survey.commands,
    }
}

fn map(outline: &Outline, goal: &str, tokens: usize) -> String {
    RepositoryMap::build(outline, &Focus::of(goal)).render(tokens).text
}

fn describe(report: &ScanReport) -> String {
    let languages: Vec<String> =
        report.languages.iter().take(6).map(|l| format!("{} ({} lines)", l.name, l.lines)).collect();
    let tree: Vec<&str> = report.directory_tree.lines().take(TREE_LINES).collect();
    format!(
        "{} files, {} lines. Languages: {}\n{}",
        report.total_files,
        report.total_lines,
        if languages.is_empty() { "none".to_owned() } else { languages.join(", ") },
        tree.join("\n")
    )
}

fn commands(report: &ScanReport) -> Vec<Vec<String>> {
    let mut commands: Vec<Vec<String>> = Vec::new();
    // A manifest's commands run in its own folder; planned tasks run at the root.
    for manifest in report.manifests.iter().filter(|manifest| !manifest.path.contains('/')) {
        for argv in [&manifest.test, &manifest.build].into_iter().flatten() {
            if !commands.contains(argv) {
                commands.push(argv.clone());
            }
        }
    }
    commands.truncate(MOST_COMMANDS);
    commands
}

/// The first file of guidance that can be read; one that cannot is as good as none.
fn guidance(folder: &Path) -> Option<Guidance> {
    let root = Root::open(folder).ok()?;
    GUIDANCE.into_iter().find_map(|name| {
        let path = RelativePath::new(name).ok()?;
        let bytes = root.read(&path, LARGEST_GUIDANCE).ok()?.bytes;
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if text.len() > LONGEST_GUIDANCE {
            text.truncate(text.floor_char_boundary(LONGEST_GUIDANCE));
            text.push_str("\n… (the rest was left out)");
        }
        Some(Guidance { path: name.to_owned(), text }).filter(|guidance| !guidance.text.trim().is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::ports::NothingSecret;
    use std::fs;

    #[tokio::test]
    async fn a_survey_holds_what_a_model_needs_to_begin() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("AGENTS.md", "Indent with tabs.\n");
        write("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        fs::create_dir(folder.path().join("src")).unwrap();
        write("src/lib.rs", "pub fn price_of(item: &str) -> u32 {\n    item.len() as u32\n}\n");
        let surveys = CachedSurveys { caches: Arc::default(), redactor: Arc::new(NothingSecret) };
        let survey = surveys.survey(folder.path(), "Mend price_of", 500).await.unwrap();
        assert!(
            survey.description.contains("Languages:") && survey.description.contains("Rust"),
            "{survey:?}"
        );
        assert!(survey.map.contains("1: pub fn price_of(item: &str) -> u32"), "{survey:?}");
        assert_eq!(
            survey.guidance,
            [Guidance { path: "AGENTS.md".into(), text: "Indent with tabs.\n".into() }]
        );
        assert!(survey.commands.contains(&vec!["cargo".to_owned(), "test".to_owned()]), "{survey:?}");
    }

    #[tokio::test]
    async fn guidance_that_is_a_link_out_of_the_repository_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        fs::write(outside.path(), "a secret").unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("AGENTS.md")).unwrap();
        let surveys = CachedSurveys { caches: Arc::default(), redactor: Arc::new(NothingSecret) };
        assert!(surveys.survey(folder.path(), "Work", 500).await.unwrap().guidance.is_empty());
    }
}
