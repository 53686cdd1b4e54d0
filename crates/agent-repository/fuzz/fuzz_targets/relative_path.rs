//! A path that is accepted stays below the root, and is accepted again as it is written out.

#![no_main]

use std::path::{Component, Path};

use agent_repository::path_guard::RelativePath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(path) = RelativePath::new(text) else { return };
    let written = path.as_str().to_owned();
    assert!(!written.is_empty() && !written.contains('\0'));
    assert!(Path::new(&written).components().all(|component| matches!(component, Component::Normal(_))));
    assert_eq!(RelativePath::new(&written).ok(), Some(path));
});
