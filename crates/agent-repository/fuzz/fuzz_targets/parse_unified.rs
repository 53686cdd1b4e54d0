//! No text after the name lines of a unified diff makes the parser panic, and what it understands is within limits.

#![no_main]

use agent_repository::patch::{PatchFormat, PatchSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(patch) = PatchSet::parse(&format!("diff --git a/f b/f\n--- a/f\n+++ b/f\n@@{text}")) {
        assert_eq!(patch.format, PatchFormat::Unified);
        assert!(!patch.files.is_empty());
    }
});
