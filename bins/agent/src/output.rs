//! What is written to the terminal, and how it looks there.

use crate::exit::Failure;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::fmt;
use std::io::{self, IsTerminal, Write};

/// The terminal of this process: what it can show. Passed to whoever writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    /// Whether standard output takes colours.
    pub(crate) colours: bool,
    /// Whether standard error takes colours.
    pub(crate) error_colours: bool,
    /// Whether somebody watches standard error live.
    pub(crate) live: bool,
}

/// How a piece of text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// A heading.
    Bold,
    /// Beside the point.
    Dim,
    /// Good.
    Green,
    /// Bad.
    Red,
    /// Wants attention.
    Yellow,
    /// A place or a name.
    Cyan,
}

impl Style {
    fn code(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Cyan => 36,
        }
    }
}

impl Terminal {
    /// Looks at the streams of this process.
    pub(crate) fn detect(no_colours: bool) -> Self {
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self { colours: out && !no_colours, error_colours: err && !no_colours, live: err }
    }

    /// A line on standard output.
    pub(crate) fn line(&self, text: impl fmt::Display) {
        written(writeln!(io::stdout().lock(), "{text}"));
    }

    /// A line on standard error.
    pub(crate) fn note(&self, text: impl fmt::Display) {
        written(writeln!(io::stderr().lock(), "{text}"));
    }

    /// One JSON document on standard output.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        self.line(serde_json::to_string_pretty(value)?);
        Ok(())
    }

    /// A failure on standard error.
    pub(crate) fn complain(&self, failure: &Failure) {
        let label = paint(self.error_colours, Style::Red, "error:");
        self.note(format_args!("{label} {}", plain(&failure.message)));
    }

    /// Text for standard output, styled where that shows.
    pub(crate) fn paint(&self, style: Style, text: impl fmt::Display) -> String {
        paint(self.colours, style, text)
    }
}

/// Styled text, or the text as it is.
pub(crate) fn paint(colours: bool, style: Style, text: impl fmt::Display) -> String {
    if colours { format!("\u{1b}[{}m{text}\u{1b}[0m", style.code()) } else { text.to_string() }
}

/// A reader that has gone away (`| head`) is no failure of the command; nobody is left to be told of others.
fn written(result: io::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a line could not be written");
    }
}

/// Text from files, models and commands without the control characters that would steer the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' && c != '\t' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// The first line of a text, cut to a number of characters.
pub(crate) fn short(text: &str, longest: usize) -> String {
    let line = plain(text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim());
    match line.char_indices().nth(longest) {
        Some((cut, _)) => format!("{}…", line[..cut].trim_end()),
        None => line,
    }
}

/// An empty table without lines around its cells.
pub(crate) fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

/// A duration as a person reads it.
pub(crate) fn seconds(duration: std::time::Duration) -> String {
    if duration.as_secs() >= 60 {
        format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60)
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\tc\n"), "a\u{fffd}[2Jb\tc\n");
    }

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        assert_eq!(short("\n  äöüß and more\nsecond", 4), "äöüß…");
        assert_eq!(short("short", 10), "short");
    }
}
