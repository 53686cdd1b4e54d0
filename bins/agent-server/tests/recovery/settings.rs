//! What the caller of the suite asks for in the environment.

use std::fmt::Display;
use std::str::FromStr;

/// A number from the environment, or the usual one.
#[expect(clippy::disallowed_methods, reason = "the size of a test run is chosen by whoever starts it")]
pub(crate) fn asked<T: FromStr + Display>(variable: &str, usually: T) -> T {
    let Ok(text) = std::env::var(variable) else { return usually };
    text.parse().unwrap_or_else(|_| panic!("{variable}={text:?} is no number"))
}

/// Tells whoever runs the suite; shown by `--nocapture` and when a test fails.
#[expect(clippy::print_stderr, reason = "figures and reasons are for the person who runs the suite")]
pub(crate) fn tell(text: &str) {
    eprintln!("{text}");
}
