//! Outlines of small files, language by language.

use std::path::{Path, PathBuf};

use super::{OutlineLanguage, Outliner};

impl Outliner {
    /// Outlines a text with nothing cut out of it.
    fn outline_whole(&mut self, language: OutlineLanguage, text: &[u8]) -> super::FileOutline {
        self.skeleton.whole(text);
        self.outline_skeleton(language, text, &mut || false).unwrap()
    }
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.is_symlink() {
            collect(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

/// What is cut out of the sources of this workspace, and of some of the packages that it is built from
/// where they are at hand, is nothing that a parser would have named.
#[test]
fn cutting_changes_nothing_in_the_outline_of_rust_sources() {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), ".rs", &mut files);
    assert!(files.len() > 100);
    let packages = std::env::home_dir().unwrap_or_default().join(".cargo/registry/src");
    if packages.is_dir() {
        let mut more = Vec::new();
        collect(&packages, ".rs", &mut more);
        // Every so many, so that all packages have their turn.
        files.extend(more.into_iter().step_by(97));
    }
    let mut outliner = Outliner::new(false);
    for path in files {
        let text = std::fs::read(&path).unwrap();
        if text.len() > 500_000 {
            continue;
        }
        let whole = outliner.outline_whole(OutlineLanguage::Rust, &text);
        let cut = outliner.outline(OutlineLanguage::Rust, &text, &mut || false).unwrap();
        assert_eq!(cut.definitions, whole.definitions, "{}", path.display());
    }
}
