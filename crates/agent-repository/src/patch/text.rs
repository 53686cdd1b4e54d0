//! A text file as lines that remember how they ended, so that what is not changed stays as it is.

use std::borrow::Cow;

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Lf,
    CrLf,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) ending: Ending,
}

impl Line<'_> {
    pub(crate) fn into_owned(self) -> Line<'static> {
        Line { text: Cow::Owned(self.text.into_owned()), ending: self.ending }
    }
}

/// A file as lines.
#[derive(Debug, Clone)]
pub(crate) struct Text<'a> {
    byte_order_mark: bool,
    pub(crate) lines: Vec<Line<'a>>,
    pub(crate) final_newline: bool,
    pub(crate) dominant: Ending,
}

const BYTE_ORDER_MARK: char = '\u{feff}';

impl<'a> Text<'a> {
    /// Cuts a file into lines. A byte order mark is set aside unless `keep_mark`.
    pub(crate) fn new(content: &'a str, keep_mark: bool) -> Self {
        let stripped = if keep_mark { None } else { content.strip_prefix(BYTE_ORDER_MARK) };
        let body = stripped.unwrap_or(content);
        let crlf = body.matches("\r\n").count();
        let dominant = if crlf * 2 > body.matches('\n').count() { Ending::CrLf } else { Ending::Lf };
        let lines = body.split_inclusive('\n').map(|line| line_of(line, dominant)).collect();
        let final_newline = body.is_empty() || body.ends_with('\n');
        Self { byte_order_mark: stripped.is_some(), lines, final_newline, dominant }
    }

    /// The file again. Lines that were not touched come out byte for byte.
    pub(crate) fn render(&self) -> String {
        let size: usize = self.lines.iter().map(|line| line.text.len() + 2).sum();
        let mut content = String::with_capacity(size + 4);
        if self.byte_order_mark {
            content.push(BYTE_ORDER_MARK);
        }
        for (index, line) in self.lines.iter().enumerate() {
            content.push_str(&line.text);
            if index + 1 < self.lines.len() || self.final_newline {
                content.push_str(match line.ending {
                    Ending::Lf => "\n",
                    Ending::CrLf => "\r\n",
                });
            }
        }
        content
    }
}

fn line_of(line: &str, dominant: Ending) -> Line<'_> {
    match line.strip_suffix('\n') {
        None => Line { text: Cow::Borrowed(line), ending: dominant },
        Some(text) => match text.strip_suffix('\r') {
            Some(text) => Line { text: Cow::Borrowed(text), ending: Ending::CrLf },
            None => Line { text: Cow::Borrowed(text), ending: Ending::Lf },
        },
    }
}

/// Whether a patch speaks of a byte order mark itself.
pub(crate) fn starts_with_mark(text: &str) -> bool {
    text.starts_with(BYTE_ORDER_MARK)
}

/// The line as it is compared when look-alikes do not count: plain dashes, quotes and blanks, nothing
/// invisible, no blanks at the end.
pub(crate) fn plain(line: &str) -> Cow<'_, str> {
    if line.is_ascii() {
        return Cow::Borrowed(line.trim_end());
    }
    let mut plain: String = line.chars().filter_map(plain_char).collect();
    plain.truncate(plain.trim_end().len());
    Cow::Owned(plain)
}

fn plain_char(c: char) -> Option<char> {
    Some(match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{ff07}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ff02}' => '"',
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{200b}' | '\u{2060}' | '\u{feff}' => return None,
        other => other,
    })
}

/// The blanks a line starts with.
pub(crate) fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// How many letters and digits lines have together: a measure of how much a match of them proves.
pub(crate) fn weight<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    lines.map(|line| line.chars().filter(|c| c.is_alphanumeric()).count()).sum()
}
