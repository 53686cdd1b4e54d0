//! No text inside of a search/replace block makes the parser panic.

#![no_main]

use agent_repository::patch::{PatchFormat, PatchSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let patch = format!("f\n<<<<<<< SEARCH\n{text}\n>>>>>>> REPLACE\n");
    if let Ok(patch) = PatchSet::parse(&patch) {
        assert_eq!(patch.format, PatchFormat::SearchReplace);
        assert!(!patch.files.is_empty());
    }
});
