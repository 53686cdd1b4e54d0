//! `agent scan`: what is in a repository.

use crate::embedded::repository;
use crate::exit::{Exit, Failure, Outcome, chain};
use crate::output::{Style, Terminal, plain, table};
use agent_repository::scan::{ScanOptions, ScanReport, scan};
use clap::Args;
use comfy_table::{CellAlignment, Table};
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  agent scan                      this folder
  agent scan ../other --json      another one, as JSON
  agent scan --json | jq '.info.manifests'";

/// Arguments of `agent scan`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Scan {
    /// The folder to look at
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Read names that begin with a dot, too
    #[arg(long)]
    hidden: bool,
    /// Print one JSON document: `repository` and `info`
    #[arg(long)]
    json: bool,
}

impl Scan {
    pub(super) fn run(self, terminal: Terminal) -> Outcome {
        let root = repository(&self.path)?;
        let options = ScanOptions { include_hidden: self.hidden, ..ScanOptions::default() };
        let report = scan(&root, &options).map_err(|error| {
            Failure::work(format!("{} cannot be scanned: {}", root.display(), chain(&error)))
        })?;
        if self.json {
            terminal.json(&json!({"repository": root.display().to_string(), "info": report}))?;
        } else {
            terminal.line(terminal.paint(Style::Bold, root.display()));
            show(&terminal, &report);
        }
        Ok(Exit::Done)
    }
}

fn show(terminal: &Terminal, report: &ScanReport) {
    terminal.line(format_args!(
        "{} files in {} folders, {} lines ({} of code), {} bytes; scanned in {} ms",
        report.total_files,
        report.total_directories,
        report.total_lines,
        report.total_code_lines,
        report.total_bytes,
        report.duration_ms
    ));
    if let Some(git) = &report.git {
        let branch = git.branch.as_deref().unwrap_or("no branch");
        let head = git.head.as_deref().map_or("no commit yet", |head| &head[..head.len().min(10)]);
        let dirty = if git.dirty { ", with changes" } else { "" };
        terminal.line(format_args!("git: {} at {head}{dirty}", plain(branch)));
    }
    if !report.languages.is_empty() {
        terminal.line(format_args!("\n{}", languages(report).trim_fmt()));
    }
    if !report.manifests.is_empty() {
        terminal.line("");
    }
    for manifest in &report.manifests {
        for (what, argv) in [("build", &manifest.build), ("test", &manifest.test)] {
            if let Some(argv) = argv {
                let path = plain(&manifest.path);
                terminal.line(format_args!("{what} ({}, {path}): {}", manifest.kind, plain(&argv.join(" "))));
            }
        }
    }
    terminal.line(format_args!("\n{}", plain(&report.directory_tree).trim_end()));
    if !report.skipped.is_empty() {
        let count = report.skipped.len();
        let text = format!("{count} paths left out (hidden, ignored, vendored …); --json names them");
        terminal.line(terminal.paint(Style::Dim, text));
    }
}

fn languages(report: &ScanReport) -> Table {
    let mut table = table(["language", "files", "lines", "code", "comments", "blanks"]);
    for language in &report.languages {
        let figures = [language.files, language.lines, language.code, language.comments, language.blanks];
        let cells = std::iter::once(language.name.clone()).chain(figures.iter().map(u64::to_string));
        table.add_row(cells);
    }
    for column in 1..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
