//! Documents that keep up with the code.

use crate::workspace::{files, members, no_complaints, read, relative, root};

/// The most lines of the document that shows the whole.
const MAX_LINES: usize = 150;

#[test]
fn the_documents_name_every_crate() {
    let mut complaints = Vec::new();
    for document in ["README.md", "docs/architecture.md"] {
        let text = read(document);
        for package in members() {
            // The crate of tests is known by its folder, and is no part of the product that a README shows.
            let shown = match package.name.as_str() {
                "agent-tests" if document == "README.md" => continue,
                "agent-tests" => "`tests/`".to_owned(),
                name => format!("`{name}`"),
            };
            if !text.contains(&shown) {
                complaints.push(format!("{document}: say what {shown} is for"));
            }
        }
    }
    no_complaints(&complaints);
}

#[test]
fn the_architecture_fits_on_a_few_screens() {
    let lines = read("docs/architecture.md").lines().count();
    assert!(
        lines <= MAX_LINES,
        "docs/architecture.md has {lines} lines: cut it to {MAX_LINES}, or move a part to an ADR"
    );
}

#[test]
fn every_decision_has_a_title_and_a_status() {
    let decisions = files(&root().join("docs/adr"), ".md");
    assert!(!decisions.is_empty(), "docs/adr holds the decisions");
    let mut complaints = Vec::new();
    for file in decisions {
        let (path, text) = (relative(&file), std::fs::read_to_string(&file).expect("a decision is text"));
        if !text.starts_with("# ") {
            complaints.push(format!("{path}: begin with `# number. title`"));
        }
        if !text.lines().any(|line| line.starts_with("Status: ")) {
            complaints.push(format!("{path}: add a line `Status: accepted, date`"));
        }
    }
    no_complaints(&complaints);
}

#[test]
fn the_changelog_says_what_is_new() {
    let text = read("CHANGELOG.md");
    let version = format!("## {}", env!("CARGO_PKG_VERSION"));
    let bracketed = format!("## [{}]", env!("CARGO_PKG_VERSION"));
    let section = text.lines().any(|line| {
        line.to_lowercase().replace(['[', ']'], "").starts_with("## unreleased")
            || line.starts_with(&version)
            || line.starts_with(&bracketed)
    });
    assert!(section, "CHANGELOG.md: add a section `## Unreleased` or `{version}`");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut complaints = Vec::new();
    let pages = files(&root().join("docs"), ".md").into_iter().chain(
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
            .map(|name| root().join(name))
            .into_iter()
            .filter(|p| p.is_file()),
    );
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("a document is text");
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains(':')) {
            let found = page.parent().is_some_and(|folder| folder.join(target).exists());
            if !found {
                complaints.push(format!("{}: the link to {target} leads nowhere", relative(&page)));
            }
        }
    }
    no_complaints(&complaints);
}

#[test]
fn every_case_has_the_test_it_names() {
    let mut complaints = Vec::new();
    for (document, least) in [("docs/durability-cases.md", 30), ("docs/access-cases.md", 150)] {
        let table = read(document);
        let rows: Vec<Vec<&str>> =
            table.lines().filter(|line| line.contains("](../")).map(|l| l.split('|').collect()).collect();
        assert!(rows.len() > least, "{document} lists the cases");
        for row in rows {
            let (test, link) = (row[3].trim().trim_matches('`'), row[4]);
            let file = link.split("](../").nth(1).and_then(|rest| rest.split(')').next()).unwrap_or_default();
            if !read(file).contains(&format!("fn {test}(")) {
                complaints.push(format!("{document}: {file} has no test {test}"));
            }
        }
    }
    no_complaints(&complaints);
}
