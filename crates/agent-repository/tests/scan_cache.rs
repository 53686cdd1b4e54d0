//! A scan tells the same with a cache and without one.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use agent_repository::scan::{Cache, ScanOptions, ScanReport, scan, survey};
use tempfile::TempDir;

#[path = "fixture/folder.rs"]
mod folder;

const LARGE: usize = 64 << 20;

fn repository() -> TempDir {
    folder::repository(&[
        ("src/a.rs", "// One.\npub fn first() {}\n"),
        ("src/b.rs", "pub struct Second;\n"),
        ("tool.py", "def third():\n    return first\n"),
        ("script", "#!/bin/sh\necho x\n"),
        ("logo.js", "\0"),
    ])
}

/// Waits until a later change of the files is sure to show in their times.
fn settle() {
    std::thread::sleep(Duration::from_millis(2_100));
}

fn options(cache: Option<&Cache>) -> ScanOptions<'_> {
    ScanOptions { symbols: true, cache, ..ScanOptions::default() }
}

/// Scans with the cache, and holds the report against one without.
fn scan_with(root: &Path, cache: &Cache) -> ScanReport {
    let timeless = |report: ScanReport| ScanReport { duration_ms: 0, ..report };
    let with = timeless(scan(root, &options(Some(cache))).unwrap());
    assert_eq!(with, timeless(scan(root, &options(None)).unwrap()));
    with
}

#[test]
fn files_that_have_not_changed_are_not_read_again() {
    let folder = repository();
    let cache = Cache::new(LARGE);
    settle();
    scan_with(folder.path(), &cache);
    assert_eq!((cache.len(), cache.reused()), (5, 0));
    scan_with(folder.path(), &cache);
    assert_eq!(cache.reused(), 5);

    fs::write(folder.path().join("src/b.rs"), "pub enum Second {}\n").unwrap();
    let report = scan_with(folder.path(), &cache);
    assert_eq!(cache.reused(), 4);
    assert!(report.symbols.unwrap().iter().any(|symbol| symbol.kind.as_str() == "enum"));
}

#[test]
fn a_change_that_keeps_size_and_time_is_noticed() {
    let folder = repository();
    let path = folder.path().join("src/a.rs");
    let cache = Cache::new(LARGE);
    settle();
    scan_with(folder.path(), &cache);
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "// One.\npub fn other() {}\n").unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_times(FileTimes::new().set_modified(modified))
        .unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), modified);
    let report = scan_with(folder.path(), &cache);
    assert_eq!(&*report.symbols.unwrap()[0].name, "other");
}

#[test]
fn a_change_right_after_the_scan_is_noticed() {
    let folder = repository();
    let path = folder.path().join("src/a.rs");
    let cache = Cache::new(LARGE);
    for round in 0..200 {
        let name = format!("name{:04}", round);
        fs::write(&path, format!("pub fn {name}() {{}}\n")).unwrap();
        let report = scan(folder.path(), &options(Some(&cache))).unwrap();
        assert_eq!(*report.symbols.unwrap()[0].name, *name);
    }
}

#[test]
fn files_that_are_renamed_removed_replaced_or_closed_are_what_they_are_now() {
    let folder = repository();
    let root = folder.path();
    let cache = Cache::new(LARGE);
    settle();
    scan_with(root, &cache);

    fs::rename(root.join("src/a.rs"), root.join("src/z.rs")).unwrap();
    let report = scan_with(root, &cache);
    assert!(report.symbols.unwrap().iter().any(|symbol| &*symbol.file == "src/z.rs"));
    assert_eq!(cache.len(), 5);

    fs::remove_file(root.join("src/z.rs")).unwrap();
    assert_eq!(scan_with(root, &cache).languages.iter().find(|l| l.name == "Rust").unwrap().files, 1);
    assert_eq!(cache.len(), 4);

    // A name that stands for another language: the same bytes tell something else.
    fs::rename(root.join("tool.py"), root.join("tool.rb")).unwrap();
    assert!(scan_with(root, &cache).languages.iter().any(|language| language.name == "Ruby"));

    fs::remove_file(root.join("src/b.rs")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", root.join("src/b.rs")).unwrap();
    scan_with(root, &cache);

    fs::set_permissions(root.join("script"), fs::Permissions::from_mode(0o000)).unwrap();
    scan_with(root, &cache);
    fs::set_permissions(root.join("script"), fs::Permissions::from_mode(0o600)).unwrap();

    fs::write(root.join("script"), "-----BEGIN PRIVATE KEY-----\n").unwrap();
    scan_with(root, &cache);
}

#[test]
fn scans_with_other_options_share_a_cache() {
    let folder = repository();
    let cache = Cache::new(LARGE);
    settle();
    let plain = ScanOptions { symbols: false, ..options(Some(&cache)) };
    assert_eq!(scan(folder.path(), &plain).unwrap().symbols, None);
    scan_with(folder.path(), &cache);
    let outline = survey(folder.path(), &options(Some(&cache))).unwrap().1;
    assert_eq!(outline, survey(folder.path(), &options(None)).unwrap().1);
    scan_with(folder.path(), &cache);
    assert_eq!(cache.reused(), 5, "references are more than symbols, not something else");

    let small = |cache| ScanOptions { max_file_bytes: 20, max_symbol_file_bytes: 19, ..options(cache) };
    let timeless = |options| ScanReport { duration_ms: 0, ..scan(folder.path(), &options).unwrap() };
    assert_eq!(timeless(small(Some(&cache))), timeless(small(None)));
    let little = |cache| ScanOptions { max_total_bytes: 30, threads: Some(1), ..options(cache) };
    assert_eq!(timeless(little(Some(&cache))), timeless(little(None)));
    scan_with(folder.path(), &cache);
}

#[test]
fn a_cache_keeps_to_its_size() {
    let folder = repository();
    let cache = Cache::new(1_000);
    settle();
    scan_with(folder.path(), &cache);
    assert!(cache.len() < 5);
    scan_with(folder.path(), &cache);
    let none = Cache::new(0);
    scan_with(folder.path(), &none);
    assert!(none.is_empty());
}

#[test]
fn a_stored_cache_is_read_back_by_whoever_scans_next() {
    let folder = repository();
    let store = tempfile::tempdir().unwrap();
    let path = store.path().join("scan.cache");
    let cache = Cache::new(LARGE);
    settle();
    let outline = survey(folder.path(), &options(Some(&cache))).unwrap().1;
    cache.save(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let loaded = Cache::load(&path, LARGE);
    assert_eq!(survey(folder.path(), &options(Some(&loaded))).unwrap().1, outline);
    assert_eq!(loaded.reused(), 5);
    scan_with(folder.path(), &loaded);
}

#[test]
fn a_stored_cache_that_is_damaged_is_not_used_at_all() {
    let folder = repository();
    let store = tempfile::tempdir().unwrap();
    let path = store.path().join("scan.cache");
    let cache = Cache::new(LARGE);
    scan_with(folder.path(), &cache);
    cache.save(&path).unwrap();
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&path, &bad).unwrap();
        assert!(Cache::load(&path, LARGE).is_empty(), "byte {at}");
    }
    for length in [0, 10, 48, good.len() - 1] {
        fs::write(&path, &good[..length]).unwrap();
        assert!(Cache::load(&path, LARGE).is_empty(), "cut to {length}");
    }
    fs::write(&path, &good).unwrap();
    assert!(Cache::load(&path, good.len() / 2).is_empty(), "larger than the cache may be");
    assert!(Cache::load(store.path(), LARGE).is_empty(), "a folder");
    assert!(Cache::load(&store.path().join("missing"), LARGE).is_empty());
    assert_eq!(Cache::load(&path, LARGE).len(), 5);
}
