//! How fast texts are masked, and what is masked in the sources of a folder:
//! `cargo bench -p agent-secrets -- ~/.cargo/registry/src`, with `--show` for each line of which something is masked.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures time and tells it")]

use agent_core::ports::Redactor;
use agent_secrets::SecretMasker;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let shows = arguments.iter().any(|argument| argument == "--show");
    let folder = arguments.iter().find(|argument| !argument.starts_with('-'));
    let count =
        arguments.iter().find_map(|argument| argument.strip_prefix("--known=")?.parse().ok()).unwrap_or(50);
    let known = (0..count).map(|at| (format!("KEY_{at}"), format!("k{at}-{}", "Zq7xW2".repeat(4))));
    let masker = SecretMasker::builder().all_known(known).build();
    let folder = folder.map_or_else(|| PathBuf::from("."), PathBuf::from);
    let mut files = Vec::new();
    collect(&folder, &mut files);
    masker.redact("the automata are made once");
    let began = Instant::now();
    let derived = masker.and([("OTHER".to_owned(), "Yb4nV9".repeat(4))]);
    println!("{:.2} ms to derive a masker", began.elapsed().as_secs_f64() * 1e3);
    drop(derived);
    let (mut bytes, mut lines, mut hits, mut spent) = (0, 0, 0, Duration::ZERO);
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let began = Instant::now();
        let masked = masker.redact(&text);
        spent += began.elapsed();
        bytes += text.len();
        lines += text.lines().count();
        hits += masked.matches("[secret ").count()
            - text.matches("[secret ").count().min(masked.matches("[secret ").count());
        if shows && masked != text {
            for (before, after) in text.lines().zip(masked.lines()).filter(|(before, after)| before != after)
            {
                println!("{}: {before}\n    {after}", file.display());
            }
        }
    }
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    println!("{hits} masks in {lines} lines: {:.1} per million", hits as f64 * 1e6 / lines.max(1) as f64);
    println!("{:.2} ms per MiB of {mebibytes:.0} MiB", spent.as_secs_f64() * 1e3 / mebibytes);
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
