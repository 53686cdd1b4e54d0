//! A scan of a million files: within its limits, in bounded time and memory.
//!
//! `cargo test --release -p agent-repository --test scan_million -- --ignored --nocapture`
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::disallowed_methods, reason = "the test measures time")]
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use agent_repository::scan::{Cache, ScanOptions, ScanReport, scan};

const FOLDERS: usize = 1_000;
const FILES_EACH: usize = 1_000;

fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn timed(what: &str, root: &Path, options: &ScanOptions<'_>) -> ScanReport {
    let began = Instant::now();
    let report = scan(root, options).unwrap();
    println!(
        "{what}: {} files in {:.1} s, peak {} MiB, {:?}",
        report.total_files,
        began.elapsed().as_secs_f64(),
        resident_mib(),
        report.skipped.iter().find(|entry| entry.path == ".").and_then(|entry| entry.detail.as_deref())
    );
    report
}

#[test]
#[ignore = "makes a million files in memory, about 2 GiB"]
fn a_million_files_are_scanned_within_the_limits() {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    for outer in 0..FOLDERS {
        let path = folder.path().join(format!("d{outer}"));
        fs::create_dir(&path).unwrap();
        for inner in 0..FILES_EACH {
            fs::write(path.join(format!("f{inner}.rs")), "fn a() {}\n").unwrap();
        }
    }
    let usual = timed("with the usual limits", folder.path(), &ScanOptions::default());
    assert_eq!(usual.total_files, 500_000);
    assert_eq!(usual.skipped[0].detail.as_deref(), Some("stopped after 500000 files"));

    let usual = ScanOptions { symbols: true, ..ScanOptions::default() };
    let report = timed("with symbols", folder.path(), &usual);
    assert_eq!(report.symbols.unwrap().len(), 200_000);

    let all = ScanOptions {
        max_files: 2_000_000,
        max_duration: Duration::from_secs(600),
        ..ScanOptions::default()
    };
    let report = timed("without limits", folder.path(), &all);
    assert_eq!((report.total_files, report.total_code_lines), (1_000_000, 1_000_000));

    let cache = Cache::new(256 << 20);
    let cached = ScanOptions { cache: Some(&cache), ..all };
    timed("with a cache, cold", folder.path(), &cached);
    let report = timed("with a cache, warm", folder.path(), &cached);
    assert_eq!(report.total_code_lines, 1_000_000);
    assert!(resident_mib() < 2_048);
}
