//! No pair of a file and a patch makes the patcher panic, or costs more time than it may.

#![no_main]
#![allow(clippy::disallowed_methods)] // the time is what is watched here

use std::time::{Duration, Instant};

use agent_repository::patch::apply_to_text;
use agent_repository::path_guard::RelativePath;
use libfuzzer_sys::fuzz_target;

/// Generous, because the sanitizer makes everything slow.
const LONGEST: Duration = Duration::from_secs(5);

fuzz_target!(|parts: (&str, &str, u8)| {
    let (before, body, format) = parts;
    let patch = match format % 4 {
        0 => format!("--- a/f\n+++ b/f\n@@{body}"),
        1 => format!("*** Begin Patch\n*** Update File: f\n{body}\n*** End Patch\n"),
        2 => format!("f\n<<<<<<< SEARCH\n{body}\n>>>>>>> REPLACE\n"),
        _ => body.to_owned(),
    };
    let Ok(path) = RelativePath::new("f") else { return };
    let started = Instant::now();
    let _outcome = apply_to_text(&path, Some(before), &patch);
    assert!(started.elapsed() < LONGEST, "it took {:?}", started.elapsed());
});
