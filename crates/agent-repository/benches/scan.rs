//! How long scans of a real tree take.
//!
//! `cargo bench -p agent-repository --bench scan -- FOLDER [ROUNDS] [ONLY]` prints the median time and
//! the median processor time of each kind of scan. `ONLY` is part of the name of one, for a profiler.
//! `peers.sh` beside this file compares them with other programs.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has failed")]
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use agent_repository::map::{Focus, RepositoryMap};
use agent_repository::scan::{Cache, ScanOptions, list_files, scan, survey};

/// Enough for any tree that is measured.
const CACHE_BYTES: usize = 1 << 30;

struct Bench {
    folder: PathBuf,
    rounds: usize,
    only: Option<String>,
}

fn main() {
    // Cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(folder) = arguments.next() else {
        println!("name a folder: cargo bench -p agent-repository --bench scan -- FOLDER [ROUNDS] [ONLY]");
        return;
    };
    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(15);
    let bench = Bench { folder: PathBuf::from(folder), rounds, only: arguments.next() };
    describe(&bench.folder);
    println!("{:32} {:>10} {:>10}", "", "wall ms", "CPU ms");
    listing_and_counting(&bench);
    outlining(&bench);
    rescanning(&bench);
}

fn describe(folder: &Path) {
    let report = scan(folder, &ScanOptions { symbols: true, ..ScanOptions::default() }).unwrap();
    println!(
        "{} files, {} lines of code, {:.1} MB, {} symbols, {} left out",
        report.total_files,
        report.total_code_lines,
        report.total_bytes as f64 / 1e6,
        report.symbols.unwrap_or_default().len(),
        report.skipped.len()
    );
}

fn listing_and_counting(bench: &Bench) {
    let options = ScanOptions::default();
    bench.measure("listing", || list_files(&bench.folder, "", usize::MAX, &options).unwrap().files.len());
    bench.measure("counts", || scan(&bench.folder, &options).unwrap().total_lines);
    let one = ScanOptions { threads: Some(1), ..options };
    bench.measure("counts, one thread", || scan(&bench.folder, &one).unwrap().total_lines);
}

fn outlining(bench: &Bench) {
    let options = ScanOptions { symbols: true, ..ScanOptions::default() };
    bench.measure("symbols", || scan(&bench.folder, &options).unwrap().symbols.map(|s| s.len()));
    let one = ScanOptions { threads: Some(1), ..options };
    bench.measure("symbols, one thread", || scan(&bench.folder, &one).unwrap().symbols.map(|s| s.len()));
    let plain = ScanOptions::default();
    bench.measure("symbols and references", || survey(&bench.folder, &plain).unwrap().1.files.len());
    let (_, outline) = survey(&bench.folder, &plain).unwrap();
    let focus = Focus::of("Speed up `parse_statement` and read_config in parser.rs");
    bench.measure("map of 2,000 tokens", || RepositoryMap::build(&outline, &focus).render(2_000).tokens);
}

/// One file is changed before each round.
fn rescanning(bench: &Bench) {
    let files = list_files(&bench.folder, "", usize::MAX, &ScanOptions::default()).unwrap().files;
    let Some(changed) = files.iter().find(|file| file.ends_with(".rs") || file.ends_with(".c")) else {
        return;
    };
    let changed = bench.folder.join(changed);
    let original = std::fs::read(&changed).unwrap();
    for (name, symbols) in [("rescan, counts", false), ("rescan, symbols", true)] {
        let cache = Cache::new(CACHE_BYTES);
        let options = ScanOptions { symbols, cache: Some(&cache), ..ScanOptions::default() };
        let mut round = 0_usize;
        bench.measure(name, || {
            round += 1;
            std::fs::write(&changed, [original.as_slice(), b"\n".repeat(round).as_slice()].concat()).unwrap();
            scan(&bench.folder, &options).unwrap().total_lines
        });
    }
    let cache = Cache::new(CACHE_BYTES);
    let options = ScanOptions { cache: Some(&cache), ..ScanOptions::default() };
    bench.measure("rescan, references", || survey(&bench.folder, &options).unwrap().1.files.len());
    let stored = std::env::temp_dir().join(format!("agent-scan-bench-{}", std::process::id()));
    bench.measure("save cache", || cache.save(&stored));
    bench.measure("load cache", || Cache::load(&stored, CACHE_BYTES).len());
    let _ = std::fs::remove_file(&stored);
    std::fs::write(&changed, original).unwrap();
}

impl Bench {
    fn measure<T>(&self, name: &str, mut work: impl FnMut() -> T) {
        if self.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            return;
        }
        for _ in 0..3 {
            std::hint::black_box(work());
        }
        let (mut wall, mut cpu) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            let (began, used) = (Instant::now(), processor_time());
            std::hint::black_box(work());
            cpu.push(processor_time().saturating_sub(used));
            wall.push(began.elapsed());
        }
        println!("{name:32} {:>10.1} {:>10.1}", median(&mut wall), median(&mut cpu));
    }
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// What this process has used, of all its threads and of the system for it.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}
