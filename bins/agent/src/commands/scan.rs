//! `agent scan`: what is in a repository.

use crate::embedded::repository;
use crate::exit::{Exit, Failure, Outcome, chain};
use crate::output::{Style, Terminal, plain};
use crate::table::{Table, number, word};
use agent_repository::map::{Focus, Rendered, RepositoryMap};
use agent_repository::scan::{ScanOptions, ScanReport, scan, survey};
use agent_repository::symbols::Symbol;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  agent scan                      this folder
  agent scan ../other --json      another one, as JSON
  agent scan --json | jq '.info.manifests'
  agent scan --symbols            with functions, types and so on, by file
  agent scan --map 2000 --focus \"the cart's total\"
                                  the definitions that matter most, in about 2000 tokens";

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
    /// Outline the files, too: Rust, Python, JavaScript, TypeScript, Go, Java, C and C++
    #[arg(long)]
    symbols: bool,
    /// Print the repository map that a model is given: the best definitions within so many tokens
    #[arg(long, value_name = "TOKENS", num_args = 0..=1, default_missing_value = "1000")]
    map: Option<usize>,
    /// What the map is for: names and paths in this text come first
    #[arg(long, value_name = "TEXT", requires = "map")]
    focus: Option<String>,
    /// Print one JSON document: `repository`, `info` and, with --map, `map`
    #[arg(long)]
    json: bool,
}

impl Scan {
    pub(super) fn run(self, terminal: Terminal) -> Outcome {
        let root = repository(&self.path)?;
        let options =
            ScanOptions { include_hidden: self.hidden, symbols: self.symbols, ..ScanOptions::default() };
        let scanned = match self.map {
            None => scan(&root, &options).map(|report| (report, None)),
            Some(tokens) => survey(&root, &options).map(|(report, outline)| {
                let focus = self.focus.as_deref().map(Focus::of).unwrap_or_default();
                let map = RepositoryMap::build(&outline, &focus).render(tokens);
                (report, Some(map))
            }),
        };
        let (report, map) = scanned.map_err(|error| {
            Failure::work(format!("{} cannot be scanned: {}", root.display(), chain(&error)))
        })?;
        if self.json {
            let mut document = json!({"repository": root.display().to_string(), "info": report});
            if let Some(map) = map {
                document["map"] = json!({
                    "text": map.text, "tokens": map.tokens, "files": map.files, "definitions": map.definitions,
                    "left_out": map.left_out,
                });
            }
            terminal.json(&document)?;
        } else if let Some(map) = map {
            show_map(&terminal, &map);
        } else {
            terminal.line(terminal.paint(Style::Bold, root.display()));
            show(&terminal, &report);
            show_symbols(&terminal, report.symbols.as_deref().unwrap_or_default());
        }
        Ok(Exit::Done)
    }
}

fn show_map(terminal: &Terminal, map: &Rendered) {
    terminal.line(plain(map.text.trim_end()));
    terminal.note(format_args!(
        "{} definitions in {} files, about {} tokens; {} left out",
        map.definitions, map.files, map.tokens, map.left_out
    ));
}

/// The symbols under the files that they are in.
fn show_symbols(terminal: &Terminal, symbols: &[Symbol]) {
    for of_file in symbols.chunk_by(|one, next| one.file == next.file) {
        let Some(first) = of_file.first() else { continue };
        terminal.line(format_args!("\n{}", terminal.paint(Style::Cyan, plain(&first.file))));
        for symbol in of_file {
            let container = symbol.container.as_deref().map(|name| format!(" in {name}")).unwrap_or_default();
            let text = format!("{:>6}  {} {}{container}", symbol.line, symbol.kind.as_str(), symbol.name);
            terminal.line(plain(&text));
        }
    }
}

/// What was found, for a person.
pub(super) fn show(terminal: &Terminal, report: &ScanReport) {
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
        terminal.line("");
        languages(report).show(terminal);
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

fn languages(report: &ScanReport) -> Table<6> {
    let columns = [
        word("language"),
        number("files"),
        number("lines"),
        number("code"),
        number("comments"),
        number("blanks"),
    ];
    let mut table = Table::new(columns);
    for language in &report.languages {
        table.row([
            language.name.as_str().into(),
            language.files.into(),
            language.lines.into(),
            language.code.into(),
            language.comments.into(),
            language.blanks.into(),
        ]);
    }
    table
}
