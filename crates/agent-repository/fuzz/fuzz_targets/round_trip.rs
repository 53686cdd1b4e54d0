//! The diff of two texts makes the one the other, and the diff back undoes that.

#![no_main]

use agent_repository::patch::{apply_to_text, unified_diff};
use agent_repository::path_guard::RelativePath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texts: (&str, &str)| {
    let (before, after) = texts;
    // What has a zero byte is no text file.
    if before == after || before.contains('\0') || after.contains('\0') {
        return;
    }
    let Ok(path) = RelativePath::new("f") else { return };
    for (from, to) in [(before, after), (after, before)] {
        let diff = unified_diff(&path, Some(from), Some(to));
        match apply_to_text(&path, Some(from), &diff) {
            Ok(result) => assert_eq!(result.as_deref(), Some(to), "{diff}"),
            Err(error) => panic!("{error}\n{diff}"),
        }
    }
});
