//! What is written to the terminal, and how it looks there.

use crate::exit::Failure;
use agent_core::time::Timestamp;
use rustix::termios::tcgetwinsize;
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
    /// Columns of standard output, where it is a terminal.
    pub(crate) width: Option<usize>,
}

/// How wide a terminal is that does not say.
const USUAL_WIDTH: usize = 80;

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
        let width = out.then(|| tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col)));
        // Some terminals do not say how wide they are.
        let width = width.map(|width| if width == 0 { USUAL_WIDTH } else { width });
        Self { colours: out && !no_colours, error_colours: err && !no_colours, live: err, width }
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
        self.line(escaped(&serde_json::to_string_pretty(value)?));
        Ok(())
    }

    /// One JSON document in one line of standard output.
    pub(crate) fn json_line(&self, value: &impl Serialize) -> Result<(), Failure> {
        self.json_text(&serde_json::to_string(value)?);
        Ok(())
    }

    /// JSON that is written already, in one line of standard output.
    pub(crate) fn json_text(&self, json: &str) {
        self.line(escaped(json));
    }

    /// A text as it is where standard output is no terminal; on one, without what would steer it.
    pub(crate) fn raw(&self, text: &str) {
        if self.width.is_some() {
            self.line(plain(text.trim_end_matches('\n')));
        } else {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            written(write!(io::stdout().lock(), "{text}{end}"));
        }
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

/// Whether a character does something to the terminal other than to be shown, such as to turn the direction of what follows.
fn steers(c: char) -> bool {
    let turns = matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || c.is_control() && c != '\n' && c != '\t'
}

/// Text from files, models and commands without the characters that would steer the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// JSON that means the same, with what would steer the terminal written as escapes; JSON itself asks for that below U+0020 only.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        // Such characters stand in strings only, and none of them needs two escapes.
        if steers(c) { text.push_str(&format!("\\u{:04x}", u32::from(c))) } else { text.push(c) }
    }
    text
}

/// The first line of a text that says anything.
pub(crate) fn one_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    plain(line.trim()).replace('\t', " ")
}

/// The first line of a text, cut to a number of characters.
pub(crate) fn short(text: &str, longest: usize) -> String {
    let line = one_line(text);
    match line.char_indices().nth(longest) {
        Some((cut, _)) => format!("{}…", line[..cut].trim_end()),
        None => line,
    }
}

/// A time as a person reads it, in UTC.
pub(crate) fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    let day_and_time = text.split('.').next().unwrap_or_default();
    day_and_time.trim_end_matches('Z').replacen('T', " ", 1)
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
    fn json_means_the_same_and_cannot_steer_the_terminal() {
        let hostile = "a\u{9b}2J\u{7f}\u{202e}\u{1b}\n\u{e9}";
        let written = escaped(&serde_json::to_string(hostile).unwrap());
        assert!(!written.chars().any(steers), "{written:?}");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), hostile);
    }

    #[test]
    fn a_time_is_shown_to_the_second() {
        let time = Timestamp::from_micros(1_767_268_800_123_456);
        assert_eq!(moment(time), "2026-01-01 12:00:00");
    }

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        assert_eq!(short("\n  äöüß and more\nsecond", 4), "äöüß…");
        assert_eq!(short("short", 10), "short");
    }
}
