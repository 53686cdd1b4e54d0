//! The house rules, checked: layers, manifests, tidy files, documents, licences. Every message says what to do.

#![expect(clippy::expect_used, reason = "what tests share fails like a test")]

mod docs;
mod layers;
mod licences;
mod manifests;
mod tidy;
mod workspace;
mod worlds;
