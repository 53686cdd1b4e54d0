//! Makes a changed migration rebuild the crate: the macro that embeds them does not notice by itself.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../migrations");
}
