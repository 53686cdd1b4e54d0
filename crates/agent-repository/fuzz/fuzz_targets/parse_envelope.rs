//! No text inside of an envelope makes the parser panic.

#![no_main]

use agent_repository::patch::{PatchFormat, PatchSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let patch = format!("*** Begin Patch\n*** Update File: f\n{text}\n*** End Patch\n");
    if let Ok(patch) = PatchSet::parse(&patch) {
        assert_eq!(patch.format, PatchFormat::Envelope);
        assert!(!patch.files.is_empty());
    }
});
