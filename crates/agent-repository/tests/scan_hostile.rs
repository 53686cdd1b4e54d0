//! What a scan does with trees made to hang, to overflow or to mislead it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::disallowed_methods, reason = "the deep tree is removed by the program made for it")]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use agent_repository::scan::{ScanOptions, ScanReport, SkipReason, scan};
use rustix::fs::{CWD, FileType, Mode};

fn pipe(path: &Path) {
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

fn reason<'a>(report: &'a ScanReport, path: &str) -> Option<(SkipReason, Option<&'a str>)> {
    let found = report.skipped.iter().find(|entry| entry.path == path)?;
    Some((found.reason, found.detail.as_deref()))
}

#[test]
fn pipes_sockets_and_links_are_named_and_never_opened() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    pipe(&root.join("pipe.rs"));
    let _listener = UnixListener::bind(root.join("socket.rs")).unwrap();
    symlink(".", root.join("loop")).unwrap();
    symlink("/etc/passwd", root.join("passwd.txt")).unwrap();
    symlink("missing", root.join("dangling")).unwrap();
    fs::write(root.join("a.rs"), "fn a() {}\n").unwrap();

    let report = scan(root, &ScanOptions::default()).unwrap();

    assert_eq!((report.total_files, report.total_directories), (1, 0));
    assert_eq!(reason(&report, "pipe.rs"), Some((SkipReason::SpecialFile, Some("named pipe"))));
    assert_eq!(reason(&report, "socket.rs"), Some((SkipReason::SpecialFile, Some("socket"))));
    for link in ["loop", "passwd.txt", "dangling"] {
        assert_eq!(reason(&report, link), Some((SkipReason::Symlink, None)), "{link}");
    }
}

#[test]
fn pipes_and_links_in_the_place_of_rule_files_and_manifests_do_not_hold_up_the_scan() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join(".git/info")).unwrap();
    fs::create_dir_all(root.join("sub")).unwrap();
    pipe(&root.join(".gitignore"));
    pipe(&root.join(".git/info/exclude"));
    pipe(&root.join("Cargo.toml"));
    symlink("/dev/zero", root.join("sub/.gitignore")).unwrap();
    fs::write(root.join("sub/a.rs"), "fn a() {}\n").unwrap();

    let report = scan(root, &ScanOptions::default()).unwrap();

    assert_eq!(report.total_files, 1);
    assert_eq!(report.manifests, []);
    let unused = |path| report.skipped.iter().any(|e| e.path == path && e.reason == SkipReason::Unreadable);
    assert!(unused(".gitignore") && unused("sub/.gitignore"), "{:?}", report.skipped);
}

#[test]
fn a_very_large_sparse_file_is_counted_but_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let size = 10 << 30;
    File::create(folder.path().join("big.rs")).unwrap().set_len(size).unwrap();
    File::create(folder.path().join(".gitignore")).unwrap().set_len(size).unwrap();

    let report = scan(folder.path(), &ScanOptions::default()).unwrap();

    assert_eq!((report.total_files, report.total_bytes, report.total_lines), (1, size, 0));
    assert_eq!(reason(&report, "big.rs").map(|(why, _)| why), Some(SkipReason::TooLarge));
}

#[test]
fn a_tree_5000_folders_deep_is_read_to_the_limit_and_the_cut_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = rustix::fs::open(folder.path(), rustix::fs::OFlags::DIRECTORY, Mode::empty()).unwrap();
    for _ in 0..5_000 {
        rustix::fs::mkdirat(&parent, "d", Mode::from_raw_mode(0o700)).unwrap();
        parent = rustix::fs::openat(&parent, "d", rustix::fs::OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    let options = ScanOptions { max_depth: 128, ..ScanOptions::default() };
    let report = scan(folder.path(), &options).unwrap();
    assert_eq!(report.total_directories, 128);
    assert_eq!(report.skipped.len(), 1);
    assert_eq!(report.skipped[0].reason, SkipReason::Truncated);
    // The standard library holds a handle for each level, and runs out of them.
    assert!(Command::new("rm").arg("-rf").arg(folder.path()).status().unwrap().success());
}

#[test]
fn names_of_any_bytes_are_escaped_onto_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for name in [b"a\nb.rs".as_slice(), b"c\xff.rs", b"d\\e.rs"] {
        fs::write(folder.path().join(OsStr::from_bytes(name)), "fn a() {}\n").unwrap();
    }
    let report = scan(folder.path(), &ScanOptions::default()).unwrap();
    assert_eq!(report.languages[0].files, 3);
    assert_eq!(report.directory_tree, ".\n├── a\\nb.rs\n├── c\\xff.rs\n└── d\\\\e.rs\n");
}

#[test]
fn what_may_not_be_read_is_named_and_the_rest_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("closed")).unwrap();
    fs::write(root.join("closed.rs"), "fn a() {}\n").unwrap();
    fs::write(root.join("open.rs"), "fn a() {}\n").unwrap();
    for name in ["closed", "closed.rs"] {
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let report = scan(root, &ScanOptions::default()).unwrap();
    assert_eq!(report.total_files, 2);
    if rustix::process::geteuid().is_root() {
        // Nothing is closed to root.
        assert_eq!((report.total_lines, report.skipped.len()), (2, 0));
    } else {
        assert_eq!(report.total_lines, 1);
        for name in ["closed", "closed.rs"] {
            assert_eq!(reason(&report, name).map(|(why, _)| why), Some(SkipReason::Unreadable), "{name}");
        }
    }
    fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn binary_files_are_counted_but_their_lines_are_not() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.rs"), b"fn a() {}\n\0\n").unwrap();
    let report = scan(folder.path(), &ScanOptions::default()).unwrap();
    assert_eq!((report.total_files, report.total_bytes, report.total_lines), (1, 12, 0));
    assert_eq!(report.languages, []);
}

fn many_files(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..count {
        let path = folder.path().join(format!("d{}", number % 5));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(format!("{number}.rs")), "fn a() {}\n").unwrap();
    }
    folder
}

#[test]
fn each_limit_ends_the_scan_and_the_report_says_which() {
    let folder = many_files(200);
    let all = ScanOptions::default();
    let cases = [
        (ScanOptions { max_files: 50, ..all }, "stopped after 50 files"),
        (ScanOptions { max_entries: 20, ..all }, "stopped after 20 folder entries"),
        (ScanOptions { max_duration: Duration::ZERO, ..all }, "stopped after 0 ms"),
        (ScanOptions { max_total_bytes: 100, ..all }, "files past 100 bytes in all were not read"),
    ];
    for (options, detail) in cases {
        let report = scan(folder.path(), &options).unwrap();
        assert_eq!(reason(&report, "."), Some((SkipReason::Truncated, Some(detail))));
        assert!(report.total_lines < 200, "{detail}");
    }
    let exact = ScanOptions { max_files: 50, ..all };
    assert_eq!(scan(folder.path(), &exact).unwrap().total_files, 50);
}

#[test]
fn a_cancelled_scan_ends_soon_and_says_so() {
    let folder = many_files(500);
    let asked = AtomicU32::new(0);
    let cancelled = || asked.fetch_add(1, Ordering::Relaxed) > 2;
    let options = ScanOptions { cancelled: Some(&cancelled), ..ScanOptions::default() };
    let report = scan(folder.path(), &options).unwrap();
    assert!(report.total_files < 500);
    let (why, detail) = reason(&report, ".").unwrap();
    assert_eq!(why, SkipReason::Truncated);
    assert!(detail.unwrap().contains("cancelled"));
}

#[test]
fn the_list_of_left_out_paths_is_bounded_and_keeps_the_reasons_for_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..50 {
        fs::write(folder.path().join(format!(".hidden{number:02}")), "").unwrap();
    }
    let report = scan(folder.path(), &ScanOptions { max_skipped: 10, ..ScanOptions::default() }).unwrap();
    assert_eq!(report.skipped.len(), 11);
    assert_eq!(report.skipped[10].detail.as_deref(), Some("40 more left-out paths are not listed"));
}
